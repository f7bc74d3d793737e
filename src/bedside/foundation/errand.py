"""A program of ours that works for this one in a process of its own: each message gets one answer, in order.

It is started anew and not forked, since whoever needs it runs an event loop; it ends with its parent, or when told.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import BinaryIO, NamedTuple

import msgspec

from bedside.foundation.engines.process import LAUNCH
from bedside.foundation.errors import BedsideError, Unavailable

ENDING = 5.0
"""Seconds that it gets to end by itself."""
_LENGTH = 4

Handler = Callable[[bytes], Awaitable[bytes]]


class _Answer(NamedTuple):
    """status: of the error that the work ended with; 0 where it did not."""

    body: bytes
    status: int = 0
    message: str = ""
    remedy: str | None = None


class Errand:
    """The starter's side."""

    def __init__(
        self, process: asyncio.subprocess.Process, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._process, self._reader, self._writer = process, reader, writer
        self._turn = asyncio.Lock()

    @classmethod
    async def start(cls, module: str, opening: bytes) -> Errand:
        """Run `python -m module`, which calls `attend`; opening: its first message, to which there is no answer."""
        launcher = (sys.executable, "-I", "-S", LAUNCH, str(int(signal.SIGKILL)), str(os.getpid()), "-")
        process = await asyncio.create_subprocess_exec(
            *(os.fspath(part) for part in (*launcher, sys.executable, "-m", module)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        if process.stdout is None or process.stdin is None:
            raise RuntimeError("a process with pipes has them")
        errand = cls(process, process.stdout, process.stdin)
        await errand._send(opening)
        return errand

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def ask(self, message: bytes) -> bytes:
        """The answer to a message; those who ask meanwhile wait their turn.

        Raises Unavailable when it has ended, or when its work met what passes by itself (a database that is away).
        """
        async with self._turn:
            await self._send(message)
            try:
                size = int.from_bytes(await self._reader.readexactly(_LENGTH), "big")
                answer = msgspec.msgpack.decode(await self._reader.readexactly(size), type=_Answer)
            except (asyncio.IncompleteReadError, ConnectionError) as error:
                raise _ended() from error
        if answer.status:
            raise Unavailable(answer.message, remedy=answer.remedy)
        return answer.body

    async def _send(self, message: bytes) -> None:
        try:
            self._writer.write(len(message).to_bytes(_LENGTH, "big"))
            self._writer.write(message)
            await self._writer.drain()
        except ConnectionError as error:
            raise _ended() from error

    async def close(self) -> None:
        """Let it end once its work is done; kill it when that takes long."""
        self._writer.close()
        try:
            await asyncio.wait_for(self._process.wait(), ENDING)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def _ended() -> Unavailable:
    return Unavailable("A part of the program ended.", remedy="Try again.")


async def attend(begin: Callable[[bytes], AbstractAsyncContextManager[Handler]]) -> None:
    """The other side: begin with the opening, then answer each message until there are no more.

    What the handler raises that passes by itself (a status of 500 and more) is told to whoever asks; anything else
    ends this process, and is told as such.
    """
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints must not speak among the answers
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    opening = await _received(reader)
    if opening is None:
        return
    async with begin(opening) as handle:
        while (message := await _received(reader)) is not None:
            try:
                answer = _Answer(await handle(message))
            except BedsideError as error:
                if error.status < 500:
                    raise
                answer = _Answer(b"", error.status, error.message, error.remedy)
            _say(out, msgspec.msgpack.encode(answer))


async def _received(reader: asyncio.StreamReader) -> bytes | None:
    try:
        return await reader.readexactly(int.from_bytes(await reader.readexactly(_LENGTH), "big"))
    except asyncio.IncompleteReadError:
        return None


def _say(out: BinaryIO, answer: bytes) -> None:
    out.write(len(answer).to_bytes(_LENGTH, "big"))
    out.write(answer)
    out.flush()
