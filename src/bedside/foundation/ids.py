"""Identifiers: UUIDv7 (RFC 9562, section 5.7): rows made together stand together, in the order they were made."""

import os
import time


def uuid7() -> str:
    """A new time-ordered id in the usual 36-character form.

    Its twelve bits after the version are the fraction of the millisecond (section 6.2, method 3): of two that are made
    one after the other the second comes after the first, unless the clock was set back between.
    """
    milliseconds, rest = divmod(time.time_ns(), 1_000_000)
    fraction = (rest << 12) // 1_000_000
    random = int.from_bytes(os.urandom(8)) & (1 << 62) - 1
    text = f"{(milliseconds & (1 << 48) - 1) << 80 | 0x7 << 76 | fraction << 64 | 0b10 << 62 | random:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
