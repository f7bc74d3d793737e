"""The pieces of an import spread over lanes: processes that each read, check, index and write their share.

A resource always goes by the lane of its id, so that its versions keep the order of the file. What leads to what is
not there yet waits until all before it is kept. A piece is told of once all of it is kept: whoever begins again after a
kill begins there, and repeats two pieces at most.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from bedside.foundation.context import Ctx
from bedside.records import settings
from bedside.records.model import imported
from bedside.records.model.imported import Found, Kept, Part, Report
from bedside.records.service.import_files import Piece, files, pieces
from bedside.records.service.importing import keep

EACH = 1000
"""Resources of one lane in a piece: one transaction."""
SPREAD = 16 * 1024 * 1024
"""Bytes from which an import is worth the processor seconds that lanes take to start."""
_AHEAD = 1
"""Pieces that lanes have beside the one that is waited for, so that none is idle while another ends."""


class Step(NamedTuple):
    """A piece that is done. size, at: as of Piece."""

    report: Report
    size: int
    at: int


class Lanes:
    """Where an import's work is done: in this process, or in several of its own."""

    def __init__(self, ctx: Ctx, errands: list[settings.Errand]) -> None:
        self._ctx, self._errands = ctx, errands
        self._alone = asyncio.Lock()

    @property
    def many(self) -> int:
        """How many there are."""
        return max(1, len(self._errands))

    async def keep(self, lane: int, part: Part) -> Kept:
        """One part, after those that this lane was given before."""
        if self._errands:
            return imported.unpack(await self._errands[lane].ask(msgspec.msgpack.encode(part)))
        async with self._alone:
            return await keep(self._ctx, part)


@asynccontextmanager
async def opened(ctx: Ctx, size: int) -> AsyncIterator[Lanes]:
    """Lanes for so many bytes. ctx: without a transaction. Raises Unavailable."""
    opener = settings.lanes_of(ctx.database) if size >= SPREAD else None
    errands: list[settings.Errand] = []
    try:
        if opener is not None:
            errands += [await opener.start(ctx) for _ in range(opener.many)]
        yield Lanes(ctx, errands)
    finally:
        await asyncio.gather(*(one.close() for one in errands))


async def load(ctx: Ctx, path: Path, tell: Callable[[int], None] | None = None) -> Report:
    """Keep what the files hold. tell is given the bytes done since the last time. ctx: without a transaction.

    Ids are kept; what has none gets one that the next run finds again. References between the entries of a bundle
    are resolved. Raises NotFound when there is nothing at the path.
    """
    report = Report()
    every = files(path)
    async with opened(ctx, sum(file.stat().st_size for file in every)) as lanes:
        for file in every:
            report.files += 1
            done = 0
            async with aclosing(keep_all(lanes, file.name, pieces(file, EACH * lanes.many))) as steps:
                async for step in steps:
                    report.add(step.report)
                    if tell:
                        tell(step.size)
                        done += step.size
            if tell:
                tell(file.stat().st_size - done)
    return report


async def keep_all(lanes: Lanes, file: str, read: Iterable[Piece], type_: str | None = None) -> AsyncGenerator[Step]:
    """Keep one file's pieces; each is told of in their order. type_: that all must have; None for any.

    Raises Unavailable and the like: what was told of until then is kept.
    """
    ahead: deque[tuple[Piece, list[asyncio.Task[Kept]]]] = deque()
    try:
        for piece in read:
            tasks = [
                asyncio.create_task(lanes.keep(lane, Part(file, share, type_)))
                for lane, share in enumerate(_shares(piece.found, lanes.many))
            ]
            ahead.append((piece, tasks))
            if len(ahead) > _AHEAD:
                yield await _ended(lanes, file, type_, *ahead[0])
                ahead.popleft()
        while ahead:
            yield await _ended(lanes, file, type_, *ahead[0])
            ahead.popleft()
    finally:
        left = [task for _, tasks in ahead for task in tasks]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


def _shares(found: Iterable[Found], lanes: int) -> Iterator[list[Found]]:
    shares: list[list[Found]] = [[] for _ in range(lanes)]
    for one in found:
        shares[one.place % lanes].append(one)
    return iter(shares)


async def _ended(lanes: Lanes, file: str, type_: str | None, piece: Piece, tasks: list[asyncio.Task[Kept]]) -> Step:
    """The outcome of a piece, once what had to wait in it has been tried again."""
    report = Report(refused=list(piece.refused))
    waiting: list[Found] = []
    for kept in await asyncio.gather(*tasks):
        report.add(kept.report)
        waiting += kept.waiting
    if waiting:  # all in one lane, since each may be what another waits for
        report.add((await lanes.keep(0, Part(file, sorted(waiting), type_, last=True))).report)
    report.refused.sort(key=lambda refused: refused.at)
    return Step(report, piece.size, piece.at)


async def keep_part(ctx: Ctx, message: bytes) -> bytes:
    """The work of a lane in a process of its own: a part as it travels, and what became of it."""
    return imported.pack(await keep(ctx, msgspec.msgpack.decode(message, type=Part)))
