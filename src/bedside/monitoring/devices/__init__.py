"""Which devices there are, who holds each from when to when, and who may speak on the wire in whose name."""
