"""The record's SQL, of the schema `records` alone (and of the views that read providers hand in by name)."""
