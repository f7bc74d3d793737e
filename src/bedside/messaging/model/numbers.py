"""Telephone numbers as SMS gateways take them (ITU-T E.164). Pure.

No library of numbering plans: it would be needed to guess a country where none was written, and a guess sends a
notice to a stranger. What has no country's number is told to a person instead.
"""

from __future__ import annotations

import re

_WRITTEN = re.compile(r"[\s().\-/\u00a0]")
_E164 = re.compile(r"\+[1-9]\d{6,14}")


def e164(written: str) -> str | None:
    """`+34600000000` for `+34 600 00-00-00` or `0034 600 …`; None for what is not in international form."""
    plain = _WRITTEN.sub("", written)
    if plain.startswith("00"):
        plain = f"+{plain[2:]}"
    return plain if _E164.fullmatch(plain) else None
