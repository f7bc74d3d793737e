"""Notices and their words."""
