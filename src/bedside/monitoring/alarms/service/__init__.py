"""Use-cases of alarms."""
