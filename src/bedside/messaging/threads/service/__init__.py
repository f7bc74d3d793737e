"""Use-cases of threads."""
