"""A real SMTP server (aiosmtpd) and a real HTTP server for SMS, each doing what it is told."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

SECRET = "a-secret-of-some-length"


@dataclass
class Mail:
    """rcpt, mail, data: what is answered to them, "" to let it pass. hang: gone in the middle of the message."""

    port: int = 0
    rcpt: list[str] = field(default_factory=list)
    mail: str = ""
    data: str = ""
    hang: bool = False
    got: list[tuple[str, str, EmailMessage]] = field(default_factory=list)
    asked: int = 0

    async def handle_MAIL(self, _s: SMTP, _: Session, envelope: Envelope, address: str, options: Any) -> str:  # noqa: N802
        if self.mail:
            return self.mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _s: SMTP, _: Session, envelope: Envelope, address: str, _o: Any) -> str:  # noqa: N802
        self.asked += 1
        if self.rcpt and (answer := self.rcpt.pop(0)):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hang:
            assert server.transport is not None
            server.transport.abort()
            return "421 gone"
        if self.data:
            return self.data
        message = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
        self.got.append((str(envelope.mail_from), envelope.rcpt_tos[0], message))
        return "250 OK"


@contextlib.asynccontextmanager
async def smtp(mail: Mail, **options: Any) -> AsyncIterator[Mail]:
    """The server in this loop; the client is in a thread."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mail, hostname="mx.test", loop=loop, **options), "127.0.0.1", 0)
    mail.port = server.sockets[0].getsockname()[1]
    try:
        yield mail
    finally:
        server.close()
        await server.wait_closed()


@pytest.fixture
async def mail() -> AsyncIterator[Mail]:
    """A mail server that takes everything until it is told otherwise."""
    async with smtp(Mail()) as running:
        yield running


def refuses_sign_in(*_: Any) -> AuthResult:
    return AuthResult(success=False, handled=False)


@dataclass
class Gateway:
    """answers: (status, headers) one after the other, then 202. got: what came, checked and read."""

    url: str = ""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    got: list[dict[str, Any]] = field(default_factory=list)


def checked(header: str, body: bytes) -> bool:
    """The signature, by docs/notices.md and nothing of Bedside."""
    parts = dict(part.split("=", 1) for part in header.split(","))
    made = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return made == parts["v1"]


def signature(body: bytes, at: float | None = None) -> str:
    """As a gateway that is not Bedside would sign."""
    seconds = str(int(time.time() if at is None else at))
    return f"t={seconds},v1={hmac.new(SECRET.encode(), f'{seconds}.'.encode() + body, 'sha256').hexdigest()}"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """An SMS gateway on this machine."""
    state = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            assert checked(self.headers["bedside-signature"], body)
            state.got.append(
                {**json.loads(body), "path": self.path, "key": self.headers["idempotency-key"], "header": self.headers}
            )
            status, headers = state.answers.pop(0) if state.answers else (202, {})
            self.send_response(status)
            for name, value in {**headers, "content-length": "0"}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/sms"
    yield state
    server.shutdown()
    server.server_close()
    thread.join()
