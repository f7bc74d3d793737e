"""Use-cases of devices, and the door that NATS asks about them."""
