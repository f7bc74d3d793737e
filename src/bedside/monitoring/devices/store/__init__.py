"""SQL of devices and of technical events."""
