"""Messages that mail servers send about messages (RFC 3464), and the sender that they come back to. Pure.

The envelope's sender holds a token of the notice (VERP): `bounces+TOKEN@clinic.example`. It is random, of 128 bits and
kept with the notice, instead of signed: as hard to make up, and no key has to be on every machine that reads mail.
"""

from __future__ import annotations

import re
import secrets
from base64 import b32encode
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from typing import Literal

from bedside.messaging.model.reasons import Reason

_TOKEN = re.compile(r"\+([a-z2-7]{26})@")
LARGEST = 1 << 20
"""Bytes of a report that are read; a server that sends a large message back puts its report before it."""


def new_token() -> str:
    """26 characters that a mail server may put into lower case."""
    return b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def sender(bounces: str, token: str) -> str:
    """The envelope's sender: `bounces+TOKEN@clinic.example`."""
    name, _, domain = bounces.partition("@")
    return f"{name}+{token}@{domain}"


@dataclass(frozen=True, slots=True)
class Bounce:
    """tokens: those of the addresses that the report came to. state: what it says of the message."""

    tokens: tuple[str, ...]
    state: Literal["bounced", "delivered", "delayed"]
    reason: Reason | None


def read(raw: bytes, to: str = "") -> Bounce | None:
    """A delivery status notification; None when it is none (an absence note, an advertisement).

    to: the address it was delivered to, where the mail server says so; else it is read from the headers that a
    delivery writes. Never from the message that came back: its recipient could have written that.
    """
    message = message_from_bytes(raw[:LARGEST], policy=policy.default)
    if message.get_content_type() != "multipart/report":
        return None
    status = next((part for part in message.iter_parts() if part.get_content_type() == "message/delivery-status"), None)
    if status is None:
        return None
    came = [to] if to else [str(v) for h in ("Delivered-To", "X-Original-To", "To") for v in message.get_all(h, [])]
    tokens = tuple(dict.fromkeys(found for one in came for found in _TOKEN.findall(one.lower())))
    actions = [
        (str(one["Action"]).split(";")[0].strip().lower(), str(one["Status"] or "")) for one in _recipients(status)
    ]
    for action, code in actions:
        if action == "failed":
            return Bounce(tokens, "bounced", reason(code))
    if any(action in {"delivered", "relayed", "expanded"} for action, _ in actions):
        # Relayed or expanded: handed to a server that tells no more.
        return Bounce(tokens, "delivered" if any(action == "delivered" for action, _ in actions) else "delayed", None)
    return Bounce(tokens, "delayed", None)


def _recipients(status: Message) -> Iterator[Message]:
    """The blocks of a status part that tell of a recipient."""
    blocks = status.get_payload()
    for block in blocks if isinstance(blocks, list) else []:
        if isinstance(block, Message) and block["Action"]:
            yield block


def reason(code: str) -> Reason:
    """The known word of an enhanced status code (RFC 3463), `5.1.1`, also where one stands in a server's answer."""
    found = re.search(r"\b[245]\.(\d{1,3})\.(\d{1,3})\b", code)
    if found is None:
        return "unknown"
    subject, detail = int(found[1]), int(found[2])
    if subject == 1 and detail in {7, 8}:
        return "sender"
    if subject == 2 and detail == 2:
        return "full"
    if subject == 1 or (subject, detail) == (2, 1):
        return "no-such-address"
    if subject == 4:
        return "timeout"
    return "rejected" if subject in {6, 7} else "unknown"
