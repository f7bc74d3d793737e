"""Settings of visits, read by app and handed to its routes."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.requests import HTTPConnection

from bedside.foundation.errors import BedsideError


class VisitSettings(msgspec.Struct, frozen=True):
    """turn_urls: of a relay that shares turn_secret (coturn's use-auth-secret); none: direct paths only.

    told: a refusal as the person at a socket reads it, (message, remedy); without it they are in English.
    """

    turn_urls: tuple[str, ...] = ()
    turn_secret: str = ""
    told: Callable[[HTTPConnection, BedsideError], tuple[str, str | None]] = lambda _, error: (
        error.message,
        error.remedy,
    )

    def ice_servers(self, name: str, now: datetime) -> list[dict[str, Any]]:
        """RTCIceServer list with credentials good for 10 minutes (TURN REST API: expiry:name, HMAC-SHA1)."""
        if not self.turn_urls:
            return []
        user = f"{int((now + timedelta(minutes=10)).timestamp())}:{name}"
        digest = hmac.new(self.turn_secret.encode(), user.encode(), hashlib.sha1).digest()
        return [{"urls": list(self.turn_urls), "username": user, "credential": base64.b64encode(digest).decode()}]
