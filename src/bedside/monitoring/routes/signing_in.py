"""A device at the web's doors: its own user name and password by HTTP Basic (RFC 7617), nobody else's address."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from starlette.requests import HTTPConnection

from bedside.foundation.errors import Forbidden, SignInNeeded
from bedside.foundation.http import ctx_of
from bedside.monitoring import service
from bedside.monitoring.devices.service.sign_in import Known

NAME: Final = re.compile(r"[A-Za-z0-9_\-]{1,128}")
CHALLENGE: Final = 'Basic realm="bedside devices", charset="UTF-8"'
MOST_BYTES: Final = 1024 * 1024
"""In one message: as on the wire."""


async def device_of(connection: HTTPConnection) -> Known:
    """The device that this request is from. Raises SignInNeeded, Forbidden, TooMany, Unavailable."""
    name, password = _credentials(connection)
    ctx = ctx_of(connection)
    known = await service.enter(ctx, name, password)
    if connection.path_params["device"] != known.name:
        await service.wrong_address(ctx, known)
        raise Forbidden("These credentials are another device's.", where="device")
    return known


def _credentials(connection: HTTPConnection) -> tuple[str, str]:
    kind, _, value = connection.headers.get("authorization", "").partition(" ")
    remedy = "Send the device's user name and password (HTTP Basic)."
    if kind.lower() != "basic":
        raise SignInNeeded("A device signs in here.", remedy=remedy)
    try:
        name, colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise SignInNeeded("These are no credentials.", remedy=remedy) from None
    if not colon or NAME.fullmatch(name) is None:
        raise SignInNeeded("These are no device's credentials.", remedy=remedy)
    return name, password
