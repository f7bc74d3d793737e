"""Bedside: an open, self-hosted telemedicine platform."""

__version__ = "0.1.0"
