"""Threads, promises, danger words and files of messages. Pure."""
