"""Use-cases of prescribing."""
