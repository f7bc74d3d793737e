"""MLLP: where a message begins and ends in a stream of bytes (HL7 v2 transport, release 1).

A block is 0x0B, the message, 0x1C, 0x0D: no length, no checksum. Whatever stands between blocks is no message.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

START: Final = b"\x0b"
END: Final = b"\x1c"
CR: Final = b"\r"
MOST: Final = 1024 * 1024
"""Bytes of one message. Vital signs take a few thousand."""


def framed(message: bytes) -> bytes:
    """A message as it goes on the wire."""
    return START + message + END + CR


@dataclass(slots=True, frozen=True)
class Block:
    """One message as it stood between its marks. whole: False where it was broken off or too long: nothing of it may
    be taken, for what is missing may change what is there. why: for whoever sent it, without its content."""

    message: bytes
    whole: bool = True
    why: str = ""


class Deframer:
    """The state of one connection's stream."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._held = bytearray()
        self._inside = False
        self._overflowing = False
        self.garbage = 0
        """Bytes outside every block so far, the 0x0D after each not counted."""

    @property
    def inside(self) -> bool:
        """Whether a block has begun and not ended."""
        return self._inside

    def feed(self, data: bytes) -> list[Block]:
        """The blocks that these bytes end, in order. One that a new start mark cuts off comes out as not whole."""
        found: list[Block] = []
        at = 0
        while at < len(data):
            if not self._inside:
                begin = data.find(START, at)
                between = data[at:] if begin < 0 else data[at:begin]
                self.garbage += len(between) - between.count(CR) - between.count(b"\n")
                if begin < 0:
                    return found
                self._inside, at = True, begin + 1
                continue
            ends = [n for n in (data.find(END, at), data.find(START, at)) if n >= 0]
            end = min(ends, default=len(data))
            self._keep(data[at:end])
            if end == len(data):
                return found
            at = end + 1
            found.append(self._close(whole=data[end : end + 1] == END))
            self._inside = data[end : end + 1] == START
        return found

    def give_up(self) -> Block:
        """The block that never ended."""
        return self._close(whole=False)

    def _keep(self, more: bytes) -> None:
        if self._overflowing or len(self._held) + len(more) > self._most:
            # The head is kept, so that the answer can name the message.
            self._held += more[: max(0, min(len(more), 4096 - len(self._held)))]
            self._overflowing = True
            return
        self._held += more

    def _close(self, *, whole: bool) -> Block:
        message, over = bytes(self._held), self._overflowing
        self._held.clear()
        self._inside = self._overflowing = False
        if over:
            return Block(message[:4096], False, f"longer than {self._most} bytes")
        if not whole:
            return Block(message, False, "no end of block (0x1C) came")
        return Block(message)
