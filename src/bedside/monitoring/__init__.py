"""Readings from the body to the alarm: devices, ingest, series, rules, alarms."""
