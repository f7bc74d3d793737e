"""Use-cases of access."""
