"""Import of FHIR bundles and NDJSON from files: safe to run twice, every refusal named, the rest kept."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bedside import access
from bedside.fhir import references, structure
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, NotFound
from bedside.records.model.bundle import conditional_references, resolved
from bedside.records.model.json import decode, encode
from bedside.records.model.provider import ReadProvider
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Stored
from bedside.records.service import reading, searching
from bedside.records.service.registry import provider_of, providers
from bedside.records.service.writing import Draft, type_of, write

BATCH = 200
"""Resources of one transaction."""
MOST_LINE = 140 * 1024 * 1024
"""Bytes of one line: a Binary of 100 MB."""
_LINES = frozenset({".ndjson", ".jsonl"})


class RefusedResource(msgspec.Struct, frozen=True):
    """A resource that was not kept. at: the line or entry, from 1. issues: `element: what` each."""

    file: str
    at: int
    what: str
    issues: list[str]


class Report(msgspec.Struct):
    """What an import did. made, changed, same: resources by type. elsewhere: those that a room of Bedside keeps already
    as the file has them. refused: each with its reasons."""

    files: int = 0
    made: Counter[str] = msgspec.field(default_factory=Counter)
    changed: Counter[str] = msgspec.field(default_factory=Counter)
    same: Counter[str] = msgspec.field(default_factory=Counter)
    elsewhere: Counter[str] = msgspec.field(default_factory=Counter)
    refused: list[RefusedResource] = []

    @property
    def kept(self) -> int:
        """All that stands in the record now."""
        return self.made.total() + self.changed.total() + self.same.total() + self.elsewhere.total()


class Found(NamedTuple):
    """A resource in a file, with the id it is kept under."""

    file: str
    at: int
    resource: dict[str, Any]
    id: str


def files(path: Path) -> list[Path]:
    """The files of an import: the path itself, or what is JSON below it, in the order of their names.

    Hospitals and practitioners come first where Synthea wrote them apart: patients' bundles refer to them by criteria.
    """
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise NotFound("There is no such file or folder.", where=str(path))
    found = [one for one in path.rglob("*") if one.suffix in {".json", *_LINES} and one.is_file()]
    return sorted(found, key=lambda one: (not one.name.startswith(("hospital", "practitioner")), str(one)))


async def load(ctx: Ctx, path: Path, tell: Callable[[int], None] | None = None) -> Report:
    """Keep what the files hold. tell is given the bytes done since the last time. ctx: without a transaction.

    Ids are kept; what has none gets one that the next run finds again. References between the entries of a bundle
    are resolved. Raises NotFound when there is nothing at the path.
    """
    report = Report()
    for file in files(path):
        report.files += 1
        done = 0
        for batch, size in _batches(file, report):
            await keep(ctx, batch, report)
            if tell:
                tell(size)
                done += size
        if tell:
            tell(file.stat().st_size - done)
    return report


def _batches(file: Path, report: Report) -> Iterator[tuple[list[Found], int]]:
    """The resources of a file, some at a time, with the bytes they took."""
    if file.suffix in _LINES:
        for batch in lines(file, report):
            yield batch.found, batch.size
        return
    try:
        whole = structure.read(file.read_bytes())
    except structure.Malformed as error:
        report.refused.append(_refusal(file.name, 1, "file", Refused(error.issues)))
        return
    found = _of_bundle(file, whole, report) if whole.get("resourceType") == "Bundle" else _single(file, whole)
    share = file.stat().st_size // max(1, len(found))
    for start in range(0, len(found), BATCH):
        part = found[start : start + BATCH]
        yield part, share * len(part)


class Lines(NamedTuple):
    """Some of a file's resources. size: the bytes they took. at: the last line that was read, from 1."""

    found: list[Found]
    size: int
    at: int


def lines(file: Path, report: Report, *, offset: int = 0, at: int = 0) -> Iterator[Lines]:
    """The resources of an NDJSON file, some at a time, from a byte on, `at` lines being before it."""
    batch: list[Found] = []
    size = 0
    with file.open("rb") as stream:
        stream.seek(offset)
        while line := stream.readline(MOST_LINE):
            at += 1
            size += len(line)
            if len(line) == MOST_LINE and not line.endswith(b"\n"):
                while (rest := stream.readline(MOST_LINE)) and not rest.endswith(b"\n"):
                    size += len(rest)
                size += len(rest)
                error = refuse("too-long", "line", f"A line holds at most {MOST_LINE >> 20} MB.")
                report.refused.append(_refusal(file.name, at, "line", error))
                continue
            if not line.strip():
                continue
            try:
                resource = structure.read(line)
            except structure.Malformed as error:
                report.refused.append(_refusal(file.name, at, "line", Refused(error.issues)))
                continue
            batch.append(Found(file.name, at, resource, _id(file, at, resource, None)))
            if len(batch) == BATCH:
                yield Lines(batch, size, at)
                batch, size = [], 0
    yield Lines(batch, size, at)


def _single(file: Path, resource: dict[str, Any]) -> list[Found]:
    return [Found(file.name, 1, resource, _id(file, 1, resource, None))]


def _of_bundle(file: Path, bundle: dict[str, Any], report: Report) -> list[Found]:
    """The entries' resources, with their references to one another resolved."""
    found: list[Found] = []
    places: dict[str, str] = {}
    entries = bundle.get("entry")
    for at, entry in enumerate(entries if isinstance(entries, list) else (), 1):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            continue
        full = entry.get("fullUrl")
        id_ = _id(file, at, resource, full if isinstance(full, str) else None)
        if isinstance(full, str):
            places[full] = f"{resource.get('resourceType')}/{id_}"
        found.append(Found(file.name, at, resource, id_))
    kept = []
    for one in found:
        try:
            kept.append(one._replace(resource=resolved(one.resource, places, type_of(one.resource))))
        except Refused as error:
            report.refused.append(_refusal(one.file, one.at, _name(one), error))
    return kept


def _id(file: Path, at: int, resource: dict[str, Any], full: str | None) -> str:
    """The id the file gives; else one that follows from what the resource is, so that a second run meets it."""
    given = resource.get("id")
    if given is not None:
        return str(given)
    if full is not None:
        tail = full.rpartition(":" if full.startswith("urn:") else "/")[2]
        if references.is_id(tail):
            return tail
    return hashlib.blake2b(f"{file.name} {at} {msgspec.json.encode(resource)!r}".encode(), digest_size=16).hexdigest()


async def keep(ctx: Ctx, batch: list[Found], report: Report) -> None:
    """Write what is well made, all at once; should that fail, one by one, so that each refusal is its own."""
    drafts: list[tuple[Found, Draft]] = []
    seen: set[tuple[str, str]] = set()
    for one in await _not_elsewhere(ctx, batch, report):
        try:
            drafts.append((one, _draft(one, seen)))
        except Refused as error:
            report.refused.append(_refusal(one.file, one.at, _name(one), error))
    if not drafts:
        return
    try:
        _count(report, await _write(ctx, [draft for _, draft in drafts]))
    except BedsideError:
        for one, draft in drafts:
            try:
                _count(report, await _write(ctx, [draft]))
            except BedsideError as error:
                if isinstance(error, Conflict) and await _stands(ctx, one):
                    report.elsewhere[draft.type] += 1
                else:
                    report.refused.append(_refusal(one.file, one.at, _name(one), error))


async def _stands(ctx: Ctx, one: Found) -> bool:
    """Whether what another room governs stands here as the file has it: then nothing is to be done."""
    try:
        async with access.work(ctx, "imported resources", readonly=True) as inner:
            here = (await reading.read(inner, type_of(one.resource), one.id)).resource
    except BedsideError:
        return False
    return _content(here) == _content(one.resource)


def _content(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource as JSON says it, without what the server says of it."""
    whole = decode(encode(resource))
    meta = {k: v for k, v in (whole.pop("meta", None) or {}).items() if k not in ("versionId", "lastUpdated")}
    return {**whole, "meta": meta}


async def _not_elsewhere(ctx: Ctx, batch: list[Found], report: Report) -> list[Found]:
    """The batch without what another room keeps already as the file has it: readings that an export took along.

    A reading that this installation never had comes as an Observation of the record, under an id of its own that a
    second import meets again: it is read and searched by FHIR, and no rule of monitoring judges it. One that stands
    here otherwise is left as it is, to be refused.
    """
    ids: dict[tuple[str, str], list[str]] = {}
    for one in batch:
        if (provider := _provider(one)) is not None:
            ids.setdefault((provider.type, provider.view), []).append(one.id)
    if not ids:
        return batch
    there: dict[tuple[str, str], dict[str, Any]] = {}
    readable: set[str] = set()
    async with access.work(ctx, "imported resources", readonly=True) as inner:
        for (type_, view), wanted in ids.items():
            if not await access.may(inner, None, "R", what=type_):
                continue  # who may not read them is not told which there are
            readable.add(type_)
            here = next(one for one in providers(type_) if one.view == view)
            for id_, resource in (await here.render(inner, wanted)).items():
                there[type_, id_] = resource
                patient = references.parse((resource.get("subject") or {}).get("reference", "")).id
                if patient is not None:
                    inner.trail.patients.setdefault(patient, set()).add("R")
    found: list[Found] = []
    for one in batch:
        provider = _provider(one)
        standing = there.get((provider.type, one.id)) if provider is not None else None
        if provider is None or provider.type not in readable:
            found.append(one)
        elif standing is None:
            found.append(_as_of_the_record(one))
        elif _content(standing) == _content(one.resource):
            report.elsewhere[provider.type] += 1
        else:
            found.append(one)
    return found


def _provider(one: Found) -> ReadProvider | None:
    type_ = one.resource.get("resourceType")
    return provider_of(type_, one.id) if isinstance(type_, str) else None


FROM = "urn:x-bedside:reading"
"""The system of the identifier that says which reading an imported Observation was."""


def _as_of_the_record(one: Found) -> Found:
    id_ = "i" + hashlib.blake2b(one.id.encode(), digest_size=16).hexdigest()
    said = [*(one.resource.get("identifier") or ()), {"system": FROM, "value": one.id}]
    return one._replace(id=id_, resource={**one.resource, "id": id_, "identifier": said})


def _draft(one: Found, seen: set[tuple[str, str]]) -> Draft:
    type_ = type_of(one.resource)
    if not references.is_id(one.id):
        raise Refused(structure.validate({**one.resource, "id": one.id}))
    issues = structure.validate(one.resource)
    if issues:
        raise Refused(issues)
    if (type_, one.id) in seen:
        raise refuse("duplicate", f"{type_}.id", "Two resources in this file have the same id.")
    seen.add((type_, one.id))
    return Draft("put", type_, one.id, one.resource, checked=True)


async def _write(ctx: Ctx, drafts: list[Draft]) -> list[Stored]:
    async def once() -> list[Stored]:
        async with access.work(ctx, "imported resources") as inner:
            for draft in drafts:
                await _criteria(inner, draft)
            return await write(inner, drafts)

    return await ctx.database.attempt(once)


async def _criteria(ctx: Ctx, draft: Draft) -> None:
    """References by criteria become those of the resources that match."""
    if draft.resource is None:
        return
    places: dict[str, str] = {}
    for text in conditional_references(draft.resource):
        type_, _, criteria = text.partition("?")
        places[text] = (await searching.one(ctx, type_, criteria)).reference
    if places:
        draft.resource = resolved(draft.resource, places, draft.type)


def _count(report: Report, stored: list[Stored]) -> None:
    for one in stored:
        counter = report.made if one.created else report.changed if one.changed else report.same
        counter[one.type] += 1


def _name(one: Found) -> str:
    return f"{one.resource.get('resourceType', '?')}/{one.id}"


def _refusal(file: str, at: int, what: str, error: BedsideError) -> RefusedResource:
    if isinstance(error, Refused):
        issues = [f"{i.expression}: {i.diagnostics}" if i.expression else i.diagnostics for i in error.issues]
    else:
        issues = [f"{error.where}: {error.message}" if error.where else error.message]
    return RefusedResource(file, at, what, issues)
