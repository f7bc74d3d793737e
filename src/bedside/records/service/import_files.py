"""Files of an import read piece by piece: NDJSON by lines, bundles by entries with their references resolved."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from bedside.fhir import references, structure
from bedside.foundation.errors import BedsideError, NotFound
from bedside.records.model.bundle import resolved
from bedside.records.model.imported import Found, RefusedResource
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.rows import rid
from bedside.records.service.writing import type_of

MOST_LINE = 140 * 1024 * 1024
"""Bytes of one line: a Binary of 100 MB."""
MOST_BYTES = 8 * 1024 * 1024
"""Bytes after which a piece ends, however few resources it holds."""
_LINES = frozenset({".ndjson", ".jsonl"})


class Piece(NamedTuple):
    """Some of a file's resources. size: the bytes they took. at: the last line that was read, from 1.

    refused: what could not even be read.
    """

    found: list[Found]
    size: int
    at: int
    refused: list[RefusedResource]


class _Head(msgspec.Struct):
    """Of a line, as much as says where it belongs."""

    type: Any = msgspec.field(default=None, name="resourceType")
    id: Any = None


_head = msgspec.json.Decoder(_Head).decode


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


def pieces(file: Path, most: int) -> Iterator[Piece]:
    """The resources of a file, at most so many at a time."""
    return lines(file, most) if file.suffix in _LINES else _entries(file, most)


def lines(file: Path, most: int, *, offset: int = 0, at: int = 0) -> Iterator[Piece]:
    """The resources of an NDJSON file, some at a time, from a byte on, `at` lines being before it."""
    found: list[Found] = []
    refused: list[RefusedResource] = []
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
                refused.append(refusal(file.name, at, "line", error))
            elif not line.isspace():
                found.append(_of_line(file, at, line))
            if len(found) == most or size >= MOST_BYTES:
                yield Piece(found, size, at, refused)
                found, refused, size = [], [], 0
    yield Piece(found, size, at, refused)


def _of_line(file: Path, at: int, line: bytes) -> Found:
    try:
        head = _head(line)
        id_ = str(head.id) if head.id is not None else _made_id(file, at, structure.read(line))
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return Found(at, line, "", 0)  # to be refused where it is looked at whole
    return Found(at, line, id_, rid(str(head.type), id_))


def _entries(file: Path, most: int) -> Iterator[Piece]:
    """Of a bundle, or of a single resource."""
    size = file.stat().st_size
    try:
        whole = structure.read(file.read_bytes())
    except structure.Malformed as error:
        yield Piece([], size, 1, [refusal(file.name, 1, "file", Refused(error.issues))])
        return
    found, refused = _of_bundle(file, whole) if whole.get("resourceType") == "Bundle" else ([_of(file, 1, whole)], [])
    if refused or not found:
        yield Piece([], 0, 1, refused)
    share = size // max(1, len(found))
    for start in range(0, len(found), most):
        part = found[start : start + most]
        yield Piece(part, share * len(part), part[-1].at, [])


def _of(file: Path, at: int, resource: dict[str, Any], id_: str | None = None) -> Found:
    id_ = _id(file, at, resource, None) if id_ is None else id_
    return Found(at, structure.write(resource), id_, rid(str(resource.get("resourceType")), id_))


def _of_bundle(file: Path, bundle: dict[str, Any]) -> tuple[list[Found], list[RefusedResource]]:
    """The entries' resources, with their references to one another resolved."""
    listed: list[tuple[int, dict[str, Any], str]] = []
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
        listed.append((at, resource, id_))
    found: list[Found] = []
    refused: list[RefusedResource] = []
    for at, resource, id_ in listed:
        try:
            found.append(_of(file, at, resolved(resource, places, type_of(resource)), id_))
        except Refused as error:
            refused.append(refusal(file.name, at, f"{resource.get('resourceType', '?')}/{id_}", error))
    return found, refused


def _id(file: Path, at: int, resource: dict[str, Any], full: str | None) -> str:
    """The id the file gives; else one that follows from what the resource is, so that a second run meets it."""
    given = resource.get("id")
    if given is not None:
        return str(given)
    if full is not None:
        tail = full.rpartition(":" if full.startswith("urn:") else "/")[2]
        if references.is_id(tail):
            return tail
    return _made_id(file, at, resource)


def _made_id(file: Path, at: int, resource: dict[str, Any]) -> str:
    return hashlib.blake2b(f"{file.name} {at} {msgspec.json.encode(resource)!r}".encode(), digest_size=16).hexdigest()


def refusal(file: str, at: int, what: str, error: BedsideError) -> RefusedResource:
    """An error, as the import's list of refusals says it."""
    if isinstance(error, Refused):
        issues = [f"{i.expression}: {i.diagnostics}" if i.expression else i.diagnostics for i in error.issues]
    else:
        issues = [f"{error.where}: {error.message}" if error.where else error.message]
    return RefusedResource(file, at, what, issues)
