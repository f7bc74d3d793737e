"""One notice by the SMS gateway's URL, and what came of it (docs/notices.md)."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import orjson

from bedside.messaging import settings
from bedside.messaging.model.notice import Sent
from bedside.messaging.model.numbers import e164
from bedside.messaging.model.reasons import SENT, Outcome, Reason
from bedside.messaging.model.signature import HEADER, signed
from bedside.messaging.model.templates import kind

TIMEOUT = httpx.Timeout(15, connect=5)
LATER = (408, 429)
"""Client errors that pass by themselves; any other is for good."""
REFUSED: dict[int, Reason] = {401: "sign-in", 403: "sign-in", 404: "not-understood", 405: "not-understood"}


async def sent(chosen: settings.Settings, notice: Sent, clinic: str, now: datetime) -> Outcome:
    """Hand it to the gateway. Never raises: what went wrong is the outcome."""
    number = e164(notice.address or "")
    if number is None:
        return Outcome("refused", "number")
    said = {
        "id": notice.id,
        "to": number,
        "text": f"{clinic}: {notice.text}" if clinic else notice.text,
        "language": notice.language,
        "kind": kind(notice.template),
    }
    body = orjson.dumps(said)
    headers = {
        "content-type": "application/json",
        "idempotency-key": notice.id,
        HEADER: signed(chosen.secret, now, body),
    }
    try:
        # No proxy of the environment: what is signed and holds a number goes where the URL says.
        async with (
            httpx.AsyncClient(timeout=TIMEOUT, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", chosen.sms or "", content=body, headers=headers) as answer,
        ):
            return _outcome(answer, now)  # its body is nobody's business, however long
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return Outcome("again", _ours(error))


def _outcome(answer: httpx.Response, now: datetime) -> Outcome:
    if answer.is_success:
        return SENT
    if answer.is_client_error and answer.status_code not in LATER:
        return Outcome("refused", REFUSED.get(answer.status_code, "rejected"))
    if answer.is_redirect:
        return Outcome("again", "not-understood")
    return Outcome("again", "busy", _wait(answer.headers.get("retry-after", ""), now))


def _wait(said: str, now: datetime) -> timedelta:
    """Retry-After: seconds, or a date (RFC 9110, section 10.2.3)."""
    if said.isascii() and said.isdecimal():
        return timedelta(seconds=min(int(said), 10**6))
    try:
        at = parsedate_to_datetime(said)
    except (TypeError, ValueError):
        return timedelta()
    return max(at.replace(tzinfo=at.tzinfo or UTC) - now, timedelta())


def _ours(error: Exception) -> Reason:
    causes: list[BaseException] = [error]
    while (below := causes[-1].__cause__ or causes[-1].__context__) is not None:
        causes.append(below)
    if any(isinstance(one, ssl.SSLError) for one in causes):
        return "tls"
    if any(isinstance(one, socket.gaierror) for one in causes):
        return "name"
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    if isinstance(error, httpx.ConnectError):
        return "connection"
    if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError | httpx.WriteError):
        return "broke-off"
    return "not-understood"
