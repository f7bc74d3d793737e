"""$import: NDJSON that a client posted, or that the operator put into the home's `imports`, kept as a job.

Nothing is fetched from an address that a client names: a server that did so would be sent to places that only it can
reach. Lines are kept in pieces; after each the place is committed, so that a run that takes over repeats two at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from bedside import access
from bedside.fhir.definitions import resource_types
from bedside.fhir.issues import Issue, outcome
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Forbidden
from bedside.foundation.ids import uuid7
from bedside.records.model.bulk import NDJSON
from bedside.records.model.given import Given
from bedside.records.model.imported import RefusedResource, Report
from bedside.records.model.json import encode
from bedside.records.model.refusals import refuse
from bedside.records.service import bulk, shelf
from bedside.records.service.bulk import Run
from bedside.records.service.export_job import Files
from bedside.records.service.exporting import Line
from bedside.records.service.import_files import lines
from bedside.records.service.import_lanes import EACH, keep_all, opened
from bedside.records.store import bulk as store

POSTED = "posted.ndjson"


class Input(msgspec.Struct, frozen=True):
    """One file. name: in the home's `imports`, or POSTED in the job's own folder. type: of every line; None for any."""

    name: str
    type: str | None = None


class Progress(msgspec.Struct):
    """Where an import stands. kept: counts by `new Patient` and so on. refused: lines that were not kept."""

    input: int = 0
    offset: int = 0
    at: int = 0
    kept: dict[str, int] = {}
    refused: int = 0


async def may_import(ctx: Ctx) -> None:
    """Raise unless the asker may create something: each line is asked about again when it is written."""
    bulk.of_a_client(ctx)
    for one in sorted(resource_types()):
        if await access.may(ctx, None, "C", what=one):
            return
    ctx.trail.refused = "C *"
    raise Forbidden("This client may create nothing.", remedy="It needs a scope such as system/*.cu.")


async def ask_posted(ctx: Ctx, request: str, body: AsyncIterator[bytes]) -> str:
    """Begin an import of NDJSON as it streams in; its id. ctx: without a transaction. Raises Forbidden, TooMany."""
    async with access.work(ctx, "asked for an import", readonly=True) as inner:
        await may_import(inner)
    id_ = uuid7()
    folder = shelf.folder(ctx.database, id_)
    try:
        file = shelf.create(folder / POSTED)
        with file:
            async for chunk in body:
                file.write(chunk)
            await shelf.secure([file])
        shelf.secure_folder(folder)
        async with access.work(ctx, "asked for an import") as inner:
            wish = {"inputs": msgspec.to_builtins([Input(POSTED)])}
            return await bulk.ask(inner, "import", bulk.IMPORT, wish, request, id_)
    except BaseException:
        shelf.remove(ctx.database, id_)
        raise


async def ask_named(ctx: Ctx, request: str, given: Given) -> str:
    """Begin an import of files that the operator put into the home's `imports`. Raises Refused, Forbidden, TooMany."""
    await may_import(ctx)
    given.only("input", "inputFormat")
    if given.text("inputFormat") not in (None, NDJSON):
        raise refuse("not-supported", "inputFormat", f"Files are read as {NDJSON} only.", status=400)
    inputs = [_input(one) for one in given.parts("input")]
    if not inputs:
        raise refuse("required", "input", "Name a file as input, or post NDJSON itself.", status=400)
    for made in inputs:
        if _inside(shelf.inbox(ctx.database), made.name) is None:
            raise refuse("not-found", "input.url", "The home's imports hold no file of this name.", status=400)
    return await bulk.ask(ctx, "import", bulk.IMPORT, {"inputs": msgspec.to_builtins(inputs)}, request)


def _input(parts: Given) -> Input:
    name, type_ = parts.needed("url"), parts.text("type")
    if type_ is not None and type_ not in resource_types():
        raise refuse("value", "input.type", "There is no such resource type in FHIR R4.", status=400)
    name = name.removeprefix("file:")
    if "/" in name or name in ("", ".", ".."):
        what = "Nothing is fetched from elsewhere: name a file that the operator put into the home's imports."
        raise refuse("not-supported", "input.url", what, status=400)
    return Input(name, type_)


def _inside(folder: Path, name: str) -> Path | None:
    path = folder / name
    return path if path.is_file() and not path.is_symlink() else None


async def import_(ctx: Ctx, payload: dict[str, Any]) -> None:
    """One run of an import's work."""
    run = await bulk.begin(ctx, payload["id"])
    if run is None:
        return
    files = Files(shelf.folder(ctx.database, run.id), run.files)
    try:
        if await _keep_all(run, files):
            await bulk.end(run, "done")
            (shelf.folder(ctx.database, run.id) / POSTED).unlink(missing_ok=True)
        else:
            await bulk.end(run, "cancelled")
    except BedsideError as error:
        if error.status >= 500:
            raise  # the queue tries again, from where this run came to
        await bulk.end(run, "failed", error.message)
    finally:
        files.close()


async def _keep_all(run: Run, files: Files) -> bool:
    inputs = msgspec.convert(run.wish["inputs"], list[Input])
    progress = msgspec.convert(run.place, Progress)
    database, done = run.ctx.database, run.done
    places = [
        (shelf.folder(database, run.id) if one.name == POSTED else shelf.inbox(database)) / one.name for one in inputs
    ]
    sizes = [place.stat().st_size if place.is_file() else 0 for place in places]
    if not run.place:
        async with database.transaction() as sql:
            await store.size(sql, run.id, run.fence, sum(sizes))
    async with opened(run.ctx, sum(sizes) - run.done) as lanes:
        while progress.input < len(inputs):
            one, place = inputs[progress.input], places[progress.input]
            if not place.is_file():
                raise refuse("not-found", one.name, "A file of this import is not there any more.")
            read = lines(place, EACH * lanes.many, offset=progress.offset, at=progress.at)
            async with aclosing(keep_all(lanes, place.name, read, one.type)) as steps:
                async for step in steps:
                    progress.offset, progress.at = progress.offset + step.size, step.at
                    done = sum(sizes[: progress.input]) + progress.offset
                    if not await _secured(run, files, progress, step.report, done):
                        return False
            progress.input, progress.offset, progress.at = progress.input + 1, 0, 0
            if not await _secured(run, files, progress, Report(), done):
                return False
    return True


async def _secured(run: Run, files: Files, progress: Progress, report: Report, done: int) -> bool:
    """What was kept and refused since the last time is told, and the place committed."""
    kept: Counter[str] = Counter(progress.kept)
    for word, counts in (
        ("new", report.made),
        ("changed", report.changed),
        ("same", report.same),
        ("kept elsewhere", report.elsewhere),
    ):
        kept.update({f"{word} {type_}": number for type_, number in counts.items()})
    progress.kept, progress.refused = dict(kept), progress.refused + len(report.refused)
    await files.write(run.ctx, [Line("error", "OperationOutcome", encode(_outcome(one))) for one in report.refused])
    await files.secure()
    async with run.ctx.database.transaction() as sql:
        now = run.ctx.clock.now()
        at = msgspec.to_builtins(progress)
        return await store.move(sql, run.id, run.fence, now, at, done, files.changed())


def _outcome(one: RefusedResource) -> dict[str, Any]:
    where = f"{one.file}, line {one.at}, {one.what}"
    return outcome([Issue("error", "processing", "", f"{where}: {issue}") for issue in one.issues])
