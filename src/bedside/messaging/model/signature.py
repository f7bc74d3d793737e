"""The signature of what goes to an SMS gateway and of what it reports (docs/notices.md). Pure.

`Bedside-Signature: t=UNIX_SECONDS,v1=HEX`, HEX the HMAC-SHA-256 of "UNIX_SECONDS." and the body as sent.
"""

from __future__ import annotations

import hmac
import re
from datetime import datetime, timedelta

HEADER = "Bedside-Signature"
WINDOW = timedelta(minutes=5)
"""A message that is older, or of the future by more, is refused: it may have been overheard."""
_WRITTEN = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def _hex(secret: str, seconds: str, body: bytes) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, "sha256").hexdigest()


def signed(secret: str, now: datetime, body: bytes) -> str:
    """The header's value."""
    seconds = str(int(now.timestamp()))
    return f"t={seconds},v1={_hex(secret, seconds, body)}"


def good(secret: str, now: datetime, body: bytes, written: str) -> bool:
    """Whether a header's value is of this secret, this body and now."""
    match = _WRITTEN.fullmatch(written.strip())
    if match is None or not secret or abs(now.timestamp() - int(match[1])) > WINDOW.total_seconds():
        return False
    return hmac.compare_digest(_hex(secret, match[1], body), match[2])
