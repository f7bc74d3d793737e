"""The MLLP door: connections, their limits, and one message at a time on each."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from bedside.exchange.model.framing import Block, Deframer

MOST: Final = 256
"""Connections; a ward's engine needs one, a house's a few dozen."""
MOST_OF_ONE: Final = 32
"""Of one address."""
STALL: Final = 30.0
"""Seconds from a block's begin to its end, and for a peer to take an answer."""
IDLE: Final = 3600.0
"""Seconds without a message after which a connection is closed: its sender opens another when it has something."""
GARBAGE: Final = 64 * 1024
"""Bytes outside any block after which a connection is closed: it speaks something else."""
AT_ONCE: Final = 4
"""Messages in work, of all connections: the wire's readings need the database too."""
READ: Final = 64 * 1024
log = structlog.get_logger("bedside.exchange")

Receive = Callable[[Block, str], Awaitable[list[bytes]]]
"""A block and its sender's address to the answers."""


async def send(writer: asyncio.StreamWriter, answers: list[bytes]) -> None:
    """Put the answers of one message on the wire. Raises TimeoutError when the peer does not take them."""
    for answer in answers:
        writer.write(answer)
    await asyncio.wait_for(writer.drain(), STALL)


class Door:
    """Serves one listening socket."""

    def __init__(self, receive: Receive, *, stall: float = STALL, idle: float = IDLE) -> None:
        self._receive, self._stall, self._idle = receive, stall, idle
        self._peers: Counter[str] = Counter()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._stopping = False
        self._open: set[asyncio.Task[None]] = set()
        self._waiting: set[asyncio.Task[None]] = set()
        """Those that have no message in work."""

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, to its end."""
        task = asyncio.current_task()
        peer = (writer.get_extra_info("peername") or ("",))[0].partition("%")[0]
        if task is None or self._stopping or self._peers.total() >= MOST or self._peers[peer] >= MOST_OF_ONE:
            log.warning("an MLLP connection was refused", open=self._peers.total())
            writer.close()
            return
        self._peers[peer] += 1
        self._open.add(task)
        try:
            await self._serve(reader, writer, peer, task)
        except (OSError, TimeoutError, ssl.SSLError, asyncio.IncompleteReadError) as error:
            log.info("an MLLP connection ended", kind=type(error).__name__)
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        finally:
            self._open.discard(task)
            self._waiting.discard(task)
            self._peers[peer] -= 1
            if not self._peers[peer]:
                del self._peers[peer]
            writer.close()
            with contextlib.suppress(Exception):
                await asyncio.wait_for(writer.wait_closed(), 2)

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, peer: str, task: asyncio.Task[None]
    ) -> None:
        stream, loop = Deframer(), asyncio.get_running_loop()
        until = loop.time() + self._idle
        while not self._stopping:
            self._waiting.add(task)
            try:
                data = await asyncio.wait_for(reader.read(READ), max(0.0, until - loop.time()))
            except TimeoutError:
                if stream.inside:
                    await self._answer(stream.give_up(), writer, peer)
                return
            self._waiting.discard(task)
            if not data:
                return
            was_inside = stream.inside
            blocks = stream.feed(data)
            for block in blocks:
                await self._answer(block, writer, peer)
            if stream.garbage > GARBAGE:
                log.warning("an MLLP connection spoke something else")
                return
            if not stream.inside:
                until = loop.time() + self._idle
            elif blocks or not was_inside:
                # From its first byte: one that drips byte by byte is not waited for longer.
                until = loop.time() + self._stall

    async def _answer(self, block: Block, writer: asyncio.StreamWriter, peer: str) -> None:
        async with self._turn:
            answers = await self._receive(block, peer)
        await send(writer, answers)

    async def stop(self, within: float = 2.5) -> None:
        """Take no more; what is in work is answered, where it ends in time."""
        self._stopping = True
        for task in list(self._waiting):
            task.cancel()
        if self._open:
            await asyncio.wait(self._open, timeout=within)
