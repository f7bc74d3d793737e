"""The record's use-cases."""
