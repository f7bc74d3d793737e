"""Interfaces, and what is done with what they send."""
