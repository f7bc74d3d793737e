"""History of a resource, a type, or everything: newest first, page by page."""

import base64
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from bedside import access
from bedside.fhir import dates
from bedside.fhir.issues import Issue
from bedside.foundation.context import Ctx
from bedside.records.model.openness import outside
from bedside.records.model.refusals import Refused, refuse
from bedside.records.service.reading import Version, as_stored, history_part, instance_history, stored
from bedside.records.service.registry import provided_types, provider_of, providers
from bedside.records.store import providing
from bedside.records.store import reading as store
from bedside.records.store.providing import ProviderSearch
from bedside.records.store.reading import Part, Position, Window

DEFAULT_COUNT = 50
MOST = 1000
_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\](?:\.resource\b.*)?")


class Wish(NamedTuple):
    """What is asked of a history: since (inclusive) and before by lastUpdated, from_ (_at: what still stood then),
    page size, position."""

    since: datetime | None = None
    before: datetime | None = None
    from_: datetime | None = None
    size: int = DEFAULT_COUNT
    cursor: str | None = None


class FoundVersions(NamedTuple):
    """A page."""

    versions: list[Version]
    next: str | None
    total: int | None


def parse(pairs: Sequence[tuple[str, str]]) -> Wish:
    """The parameters of a history. Raises Refused for the unknown and malformed, lenient or not: a history has no
    place for a report of what was left out."""
    wish = Wish()
    issues: list[Issue] = []
    for name, value in pairs:
        if name in ("_format", "_pretty"):
            continue
        try:
            if name == "_since":
                wish = wish._replace(since=dates.span(value).low)
            elif name == "_at":
                span = dates.span(value.removeprefix("eq"))
                wish = wish._replace(from_=span.low, before=span.high)
            elif name == "_count" and value.isdecimal() and len(value) < 7:
                wish = wish._replace(size=min(int(value), MOST))
            elif name == "_cursor":
                wish = wish._replace(cursor=value)
            else:
                issues.append(Issue("error", "not-supported", name, "A history takes _since, _at, _count."))
        except ValueError:
            issues.append(Issue("error", "value", name, "This is no date of FHIR."))
    if issues:
        raise Refused(issues, status=400)
    return wish


async def page(ctx: Ctx, type_: str | None, id_: str | None, wish: Wish) -> FoundVersions:
    """One page. Raises Refused, Forbidden, NotFound."""
    if type_ is not None and id_ is not None:
        return await _instance(ctx, type_, id_, wish)
    return await _log(ctx, type_, wish)


async def _instance(ctx: Ctx, type_: str, id_: str, wish: Wish) -> FoundVersions:
    if provider_of(type_, id_) is not None:
        return await _instance_elsewhere(ctx, type_, id_, wish)
    wanted = Part(wish.since, wish.before, wish.from_, _number(wish.cursor), wish.size + 1)
    found, total = await history_part(ctx, type_, id_, wanted)
    shown = found[: wish.size]
    more = len(found) > wish.size and bool(shown)
    return FoundVersions(shown, str(shown[-1].stored.version) if more else None, total)


async def _instance_elsewhere(ctx: Ctx, type_: str, id_: str, wish: Wish) -> FoundVersions:
    """Of what another room keeps: a handful of versions, all told at once by its provider."""
    every = await instance_history(ctx, type_, id_)
    ended = [None, *(one.stored.updated for one in every)]  # the newest still stands
    kept = [
        one
        for one, end in zip(every, ended, strict=False)
        if (wish.since is None or one.stored.updated >= wish.since)
        and (wish.before is None or one.stored.updated < wish.before)
        and (wish.from_ is None or end is None or end > wish.from_)
    ]
    start = _number(wish.cursor)
    shown = [one for one in kept if start is None or one.stored.version < start][: wish.size]
    more = bool(shown) and shown[-1].stored.version > kept[-1].stored.version
    return FoundVersions(shown, str(shown[-1].stored.version) if more else None, len(kept))


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not cursor.isdecimal() or len(cursor) > 9:
        raise _lost()
    return int(cursor)


def _lost() -> Refused:
    return refuse("value", "_cursor", "This is no page of this history. Begin at its first page.", status=400)


class _Line(NamedTuple):
    """A version in the order of the log. source: the view it comes from, "" for the record itself."""

    updated: datetime
    source: str
    end: tuple[Any, ...]
    row: Any


async def _log(ctx: Ctx, type_: str | None, wish: Wish) -> FoundVersions:
    """History of a type or of all types: the record's own versions, and the current ones of read providers."""
    await access.authorise(ctx, None, "R", what=type_ or "*")
    types = [type_] if type_ else await store.types(ctx.sql, ctx.tenant)
    if type_ is None:
        types += [one for one in provided_types() if one not in types]
    positions = _open(wish.cursor)
    lines: list[_Line] = []
    for visible, group in (await _by_visibility(ctx, types)).values():
        after = positions.get("")
        position = Position(*after) if after else None
        may = all(outside(ctx.actor.kind, ctx.actor.roles, one) for one in group)
        window = Window(group, visible, may, wish.since, wish.before, wish.from_, position, wish.size + 1)
        rows = await store.log(ctx.sql, ctx.tenant, window)
        lines += [_Line(row["updated"], "", (row["rid"], row["version"]), row) for row in rows]
        for one in group:
            lines += await _provided(ctx, one, visible, wish, positions)
    lines.sort(key=lambda line: line[:3], reverse=True)
    shown = lines[: wish.size]
    for line in shown:
        positions[line.source] = [line.updated, *line.end]
    more = len(lines) > wish.size and bool(shown)
    return FoundVersions(await _versions(ctx, shown), _close(positions) if more else None, None)


async def _by_visibility(ctx: Ctx, types: Sequence[str]) -> dict[Any, tuple[list[str] | None, list[str]]]:
    """Types grouped by the patients whose resources of that type may be seen."""
    groups: dict[Any, tuple[list[str] | None, list[str]]] = {}
    for one in types:
        seen = await access.visible(ctx, one)
        key = (seen, outside(ctx.actor.kind, ctx.actor.roles, one))
        groups.setdefault(key, (None if seen is None else sorted(seen), []))[1].append(one)
    return groups


async def _provided(
    ctx: Ctx, type_: str, visible: list[str] | None, wish: Wish, positions: dict[str, list[Any]]
) -> list[_Line]:
    lines: list[_Line] = []
    for provider in providers(type_):
        last = positions.get(provider.view)
        search = ProviderSearch(
            provider, (), visible, "updated", True, last, wish.size + 1, since=wish.since, before=wish.before
        )
        rows = await providing.page(ctx.sql, ctx.tenant, search)
        lines += [_Line(row["updated"], provider.view, (row["id"],), row) for row in rows]
    return lines


async def _versions(ctx: Ctx, lines: Sequence[_Line]) -> list[Version]:
    rendered: dict[tuple[str, str], dict[str, Any]] = {}
    for type_ in provided_types():
        for provider in providers(type_):
            ids = [line.row["id"] for line in lines if line.source == provider.view]
            if ids:
                found = await provider.render(ctx, ids)
                rendered |= {(provider.view, id_): resource for id_, resource in found.items()}
    versions = []
    for line in lines:
        patients = tuple(line.row["patients"]) if line.source == "" else (line.row["patient"],)
        for patient in patients:
            ctx.trail.patients.setdefault(patient, set()).add("R")
        if line.source == "":
            versions.append(Version(stored(line.row), line.row["method"], patients))
        elif resource := rendered.get((line.source, line.row["id"])):
            method = "POST" if line.row["version"] == 1 else "PUT"
            versions.append(Version(as_stored(resource), method, patients))
    return versions


def _open(cursor: str | None) -> dict[str, list[Any]]:
    if cursor is None:
        return {}
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return msgspec.msgpack.decode(raw, type=dict[str, list[Any]])
    except (ValueError, msgspec.MsgspecError):
        raise _lost() from None


def _close(positions: dict[str, list[Any]]) -> str:
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(positions)).rstrip(b"=").decode()


def by_entry(issues: Sequence[Issue]) -> tuple[dict[int, list[Issue]], list[Issue]]:
    """The faults of a bundle by entry, and those that concern the bundle itself."""
    entries: dict[int, list[Issue]] = {}
    rest: list[Issue] = []
    for issue in issues:
        match = _ENTRY.fullmatch(issue.expression)
        if match:
            entries.setdefault(int(match[1]), []).append(issue)
        else:
            rest.append(issue)
    return entries, rest
