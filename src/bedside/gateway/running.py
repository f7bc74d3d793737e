"""The gateway's process: the door and the passing on, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import msgspec
import uvloop

from bedside.foundation.errors import Invalid, Unavailable
from bedside.foundation.serving import listen, serve
from bedside.gateway.door import door
from bedside.gateway.passing_on import TIMEOUT, PassingOn
from bedside.gateway.store import Journal, Locked

LINKS = 16
"""Connections to Bedside at a time."""


class Card(msgspec.Struct, frozen=True):
    """What `bedside device add --json` printed, as much as is needed here."""

    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Wish:
    """to: Bedside's address. cards: a file with one card a line. rate: messages a second at most. most: bytes of the
    journal. ca: a file of the authority that signed Bedside's certificate, None for the system's."""

    to: str
    cards: Path
    home: Path
    host: str = "127.0.0.1"
    port: int = 8765
    rate: float = 200
    most: int = 2_000_000_000
    ca: Path | None = None


def run(wish: Wish) -> None:
    """Until SIGTERM or SIGINT. Raises Invalid (cards), Unavailable when the port or the journal is another's."""
    passwords = read(wish.cards)
    try:
        journal = Journal(wish.home / "gateway.db", wish.most)
    except Locked as error:
        raise Unavailable("Another gateway has this journal.", remedy="Choose another home: --home.") from error
    try:
        listening = listen(wish.host, wish.port)
    except OSError as error:
        raise Unavailable("Port %(port)s is taken.", remedy="Choose another: --port.", port=wish.port) from error
    try:
        uvloop.run(_serve(wish, journal, passwords, listening))
    finally:
        journal.close()


def read(path: Path) -> dict[str, str]:
    """Passwords by device. Raises Invalid naming the line."""
    found: dict[str, str] = {}
    for n, line in enumerate(path.read_bytes().splitlines(), 1):
        if line.strip():
            try:
                card = msgspec.json.decode(line, type=Card)
            except msgspec.MsgspecError as error:
                raise Invalid(
                    "Line %(n)s of the cards is none that `bedside device add --json` prints.", n=n
                ) from error
            found[card.username] = card.password
    if not found:
        raise Invalid("There is no card: this gateway would carry nothing.")
    return found


def name_of(home: Path) -> str:
    """By which Bedside knows this gateway: its machine's, and something of its own; made once and kept in its home."""
    file = home / "name"
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        host = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40]
        name = f"{host}-{secrets.token_hex(3)}"
        file.write_text(f"{name}\n")
        return name


async def _serve(wish: Wish, journal: Journal, passwords: dict[str, str], listening: Any) -> None:
    verify: Any = str(wish.ca) if wish.ca else True
    limits = httpx.Limits(max_connections=LINKS)
    async with httpx.AsyncClient(base_url=wish.to, verify=verify, timeout=TIMEOUT, limits=limits) as client:
        passing_on = PassingOn(journal, client, passwords, wish.rate, name_of(wish.home))
        async with _beside(passing_on):
            await serve(lambda _: door(journal, passing_on, passwords), listening)


@contextlib.asynccontextmanager
async def _beside(passing_on: PassingOn) -> AsyncIterator[None]:
    task = asyncio.create_task(passing_on.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
