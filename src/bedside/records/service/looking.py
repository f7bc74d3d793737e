"""A GET within a bundle, answered as the door answers it by itself: read, version, history, search, compartment."""

from collections.abc import Mapping
from typing import Any

from bedside.fhir.definitions import COMPARTMENTS, resource_types
from bedside.fhir.query import Compartment
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.records.model import unchanged
from bedside.records.model.bundle import Entry
from bedside.records.model.given import Given
from bedside.records.model.json import decode
from bedside.records.model.operation import Call
from bedside.records.model.refusals import NotAllowed, refuse
from bedside.records.model.stored import Stored
from bedside.records.service import bundles, histories, leniency, reading, searching, subsetting
from bedside.records.service.operations import places

Answer = dict[str, Any]


async def look(ctx: Ctx, one: Entry, base: str, *, strict: bool = True) -> Answer:
    """The answer's entry. Raises what the interaction raises, Invalid for an address that is none here."""
    match one.path:
        case [*_, name] if name.startswith("$"):
            return await call(ctx, one, base, strict=strict)
        case [] | [_] if one.path != ("_history",):
            return await _search(ctx, one, base, strict=strict)
        case ["_history"] | [_, "_history"] | [_, _, "_history"]:
            return await _history(ctx, one, base)
        case [_, id_]:
            return _single(one, base, await _read(ctx, one, id_))
        case [_, id_, "_history", number] if number.isascii() and number.isdecimal() and len(number) <= 9:
            return _single(one, base, await reading.version(ctx, one.type, id_, int(number)))
        case [name, id_, type_] if name in COMPARTMENTS and (type_ == "*" or type_ in resource_types()):
            return await _search(ctx, one, base, Compartment(name, id_), strict=strict)
    raise Invalid("This URL is not read in a bundle.", where=f"{one.where}.request.url")


async def call(ctx: Ctx, one: Entry, base: str, *, strict: bool = True) -> Answer:
    """The answer's entry of an operation, called by GET or by POST. Raises NotServed and what the operation raises."""
    place = places.place_of(one.path)
    operation = place.operation
    if operation.keeps or operation.streams:
        what = "Work in the background is asked for by itself, not in a bundle."
        raise refuse("not-supported", f"{one.where}.request.url", what, status=400)
    if one.method != "POST" and (operation.affects or operation.posted):
        raise NotAllowed("Only POST here.", where=f"{one.where}.request.method")
    given = Given.posted(_pairs(one), one.resource)
    path = "/" + "/".join(one.path)
    reply = await operation.run(
        ctx,
        Call(place.type, place.id, place.version, given, base, path, posted=one.method == "POST", strict=strict),
    )
    return _whole(one, reply.body, status=reply.status)


async def _search(ctx: Ctx, one: Entry, base: str, compartment: Compartment | None = None, *, strict: bool) -> Answer:
    type_ = one.path[-1] if one.path and one.path[-1] != "*" else None
    pairs = _pairs(one)
    bases = (f"{base}/",) if base else ()
    query = searching.parse(type_, pairs, strict=strict, bases=bases, compartment=compartment)
    found = await searching.run(ctx, query if strict else await leniency.answerable(ctx, query))
    path = "/" + "/".join(one.path) if one.path else ""
    return _whole(one, bundles.searchset(found, base=base, path=path, pairs=pairs, now=ctx.clock.now()))


async def _history(ctx: Ctx, one: Entry, base: str) -> Answer:
    pairs = _pairs(one)
    type_, id_ = (*one.path[:-1], None, None)[:2]
    found = await histories.page(ctx, type_, id_, histories.parse(pairs))
    body = bundles.history(
        found.versions,
        base=base,
        path="/" + "/".join(one.path),
        pairs=pairs,
        now=ctx.clock.now(),
        next_=found.next,
        total=found.total,
    )
    return _whole(one, body)


async def _read(ctx: Ctx, one: Entry, id_: str) -> Stored:
    query = subsetting.of_a_read(one.type, _pairs(one))
    stored = await reading.read(ctx, one.type, id_)
    return stored if query is None else subsetting.subset(stored, query)


def _pairs(one: Entry) -> list[tuple[str, str]]:
    try:
        return searching.pairs_of(one.criteria or "")
    except ValueError:
        where = f"{one.where}.request.url"
        raise refuse("value", where, "The query is not percent-encoded UTF-8.", status=400) from None


def _whole(one: Entry, body: bytes, *, status: int = 200) -> Answer:
    resource: Mapping[str, Any] = {} if one.method == "HEAD" or not body else {"resource": decode(body)}
    return {**resource, "response": {"status": "200 OK" if status == 200 else str(status)}}


def _single(one: Entry, base: str, stored: Stored) -> Answer:
    response = {"etag": f'W/"{stored.version}"', "lastModified": bundles.instant(stored.updated)}
    full: Answer = {"fullUrl": f"{base}/{stored.reference}" if base else stored.reference}
    since = unchanged.moment(one.if_modified_since, f"{one.where}.request.ifModifiedSince")
    if unchanged.is_known(stored, one.if_none_match, since):
        return {**full, "response": {"status": "304 Not Modified", **response}}
    resource = {} if one.method == "HEAD" else {"resource": stored.resource}
    return {**full, **resource, "response": {"status": "200 OK", **response}}
