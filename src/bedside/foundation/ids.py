"""Identifiers: UUIDv7 (RFC 9562, section 5.7), so that rows made together stand together."""

import os
import time


def uuid7() -> str:
    """A new time-ordered id in the usual 36-character form."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10))
    value = (milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | (random >> 68 & 0xFFF) << 64 | 0b10 << 62
    text = f"{value | random & (1 << 62) - 1:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
