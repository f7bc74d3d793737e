"""Use-cases of orders."""
