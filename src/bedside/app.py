"""Composition root: the only module that knows every room; builds the web, worker and ingest processes."""
