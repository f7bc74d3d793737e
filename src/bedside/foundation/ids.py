"""Identifiers: UUIDv7 (RFC 9562, section 5.7), so that rows made together stand together."""

import os
import time
import uuid


def uuid7() -> str:
    """A new time-ordered id in the usual 36-character form."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62
    return str(uuid.UUID(int=value | random & (1 << 62) - 1))
