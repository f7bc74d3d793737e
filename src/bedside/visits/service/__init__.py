"""Use-cases of visits."""
