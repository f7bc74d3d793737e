"""The work of an export: a page, its lines secured in files, where it stands committed; and so on.

A run that takes over from a killed one begins at the last page that was committed, in files of its own: what was
written behind the committed size of an older file does not count and is never sent.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from bedside import access
from bedside.fhir.issues import Issue, outcome
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.records.model.bulk import Made, Place, Wish
from bedside.records.model.json import encode
from bedside.records.service import bulk, contents, exporting, shelf
from bedside.records.service.bulk import Run
from bedside.records.service.exporting import Line
from bedside.records.store import bulk as store
from bedside.records.store import exporting as walking

MOST_LINES = 100_000
MOST_BYTES = 256 * 1024 * 1024
"""Of one file; then the next begins."""
PATIENCE = 30.0
"""Seconds that older transactions get to end before the walk begins."""


async def export(ctx: Ctx, payload: dict[str, Any]) -> None:
    """One run of an export's work."""
    run = await bulk.begin(ctx, payload["id"])
    if run is None:
        return
    wish = msgspec.convert(run.wish, Wish)
    files = Files(shelf.folder(ctx.database, run.id), run.files)
    try:
        if await _walk(run, wish, files):
            await bulk.end(run, "done")
        else:
            await bulk.end(run, "cancelled")
    except BedsideError as error:
        if error.status >= 500:
            raise  # the queue tries again, from where this run came to
        await bulk.end(run, "failed", error.message)
    finally:
        files.close()


async def _walk(run: Run, wish: Wish, files: Files) -> bool:
    """To the end; False when the work was cancelled or taken over."""
    ctx, done = run.ctx, run.done
    begin = msgspec.convert(run.place, Place)
    # Past the last type: killed between the last page and the end.
    place: Place | None = begin if begin.type < len(wish.types) else None
    if not run.place:
        await _older_work_ends(run)
        async with access.work(ctx, "counted what is to be exported") as inner:
            await store.size(inner.sql, run.id, run.fence, await exporting.total(inner, wish, run.asked))
    while place is not None:
        async with access.work(ctx, "exported in bulk") as inner:
            step = await exporting.step(inner, wish, run.asked, place)
            await files.write(ctx, step.lines)
            if step.next is None and wish.ignored:
                issues = [Issue("warning", "not-supported", "", one) for one in wish.ignored]
                await files.write(ctx, [Line("error", "OperationOutcome", encode(outcome(issues)))])
            await files.secure()
            done += len(step.lines)
            at = msgspec.to_builtins(step.next) if step.next else {"type": len(wish.types)}
            if not await store.move(inner.sql, run.id, run.fence, ctx.clock.now(), at, done, files.changed()):
                return False
        place = step.next
    return True


async def _older_work_ends(run: Run) -> None:
    """What was begun before the export was asked for may still be committed under an earlier time: wait for it."""
    until = asyncio.get_running_loop().time() + PATIENCE
    while asyncio.get_running_loop().time() < until:
        async with run.ctx.database.connection() as sql:
            if not await walking.older_work(sql, run.asked):
                return
        await asyncio.sleep(0.1)


class Files:
    """The files of one run, each part and type in its own, a new one when one is full."""

    def __init__(self, folder: Path, before: list[Made]) -> None:
        self.folder = folder
        self.next = max((one.n for one in before), default=0) + 1
        self.open: dict[tuple[str, str], tuple[Made, BinaryIO]] = {}
        self.touched: dict[int, Made] = {}

    async def write(self, ctx: Ctx, lines: list[Line]) -> None:
        """Append lines; nothing is secured yet. A Binary's content goes from the database to the file in pieces."""
        for part, type_, body, content in lines:
            made, file = self._file(part, type_)
            before = file.tell()
            if content is None:
                file.write(body + b"\n")
            else:
                async for piece in contents.as_json(ctx, body, content):
                    file.write(piece)
                file.write(b"\n")
            made = made._replace(lines=made.lines + 1, size=made.size + file.tell() - before)
            self.open[part, type_] = made, file
            self.touched[made.n] = made

    def _file(self, part: str, type_: str) -> tuple[Made, BinaryIO]:
        here = self.open.get((part, type_))
        if here is not None and here[0].lines < MOST_LINES and here[0].size < MOST_BYTES:
            return here
        if here is not None:
            shelf.finish(here[1])
        n, self.next = self.next, self.next + 1
        name = f"{type_}.{n}.ndjson" if part == "output" else f"{part}.{type_}.{n}.ndjson"
        return Made(n, name, part, type_, 0, 0), shelf.create(self.folder / name)

    async def secure(self) -> None:
        """What was written outlives a loss of power."""
        if self.touched:
            await shelf.secure([file for made, file in self.open.values() if made.n in self.touched])
            shelf.secure_folder(self.folder)

    def changed(self) -> list[Made]:
        """The files that were written to since the last call."""
        changed, self.touched = list(self.touched.values()), {}
        return changed

    def close(self) -> None:
        """Let go of them."""
        for _, file in self.open.values():
            file.close()
