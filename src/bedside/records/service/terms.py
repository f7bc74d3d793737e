"""Filters by meaning made into filters by code: `:in`, `:not-in`, `:above`, `:below`, and `_list` into its items."""

from collections.abc import Callable, Sequence

import msgspec

from bedside.fhir import references, terminology
from bedside.fhir.definitions import search_parameters
from bedside.fhir.grammar import Filter, Has, ReferenceValue, TokenValue, UriValue, Value
from bedside.fhir.query import Condition, Group
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Gone, NotFound
from bedside.records.model import rows, served
from bedside.records.model.json import decode
from bedside.records.model.refusals import refuse
from bedside.records.service import reading
from bedside.records.store import reading as store
from bedside.records.store import terms

MOST = 20_000
"""Codes of a value set, or places of a tree, that one filter may stand for."""


async def resolved(ctx: Ctx, type_: str, filters: Sequence[Condition]) -> tuple[Condition, ...]:
    """The filters with their codes spelled out. Raises Refused for what cannot be."""
    return tuple([await _resolved(ctx, type_, one) for one in filters])


async def _resolved(ctx: Ctx, type_: str, one: Condition) -> Condition:
    if isinstance(one, Group):
        return msgspec.structs.replace(one, parts=await resolved(ctx, type_, one.parts))
    if isinstance(one, Has):
        return msgspec.structs.replace(one, filter=await _resolved(ctx, one.type, one.filter))
    if not isinstance(one, Filter):
        return one
    if one.chain is not None:
        return msgspec.structs.replace(one, chain=await _resolved(ctx, one.targets[0], one.chain))
    if one.parameter.code == "_list":
        return await _listed(ctx, type_, one)
    if one.modifier in ("in", "not-in") and one.parameter.type == "token":
        found = [value for url in one.values for value in await _in_set(ctx, one, url)]
        return _bounded(one, found)
    if one.modifier in ("above", "below") and one.parameter.type == "token":
        found = [value for sought in one.values for value in await _related(ctx, one, sought)]
        return _bounded(one, found)
    if one.modifier in ("above", "below") and one.parameter.type == "reference":
        return await _tree(ctx, one)
    return one


def _bounded(one: Filter, values: Sequence[Value]) -> Filter:
    if len(values) > MOST:
        raise refuse("too-costly", served.name(one), f"This stands for more than {MOST} codes.", status=400)
    return msgspec.structs.replace(one, values=tuple(values))


async def _in_set(ctx: Ctx, one: Filter, sought: Value) -> list[Value]:
    url = sought.uri.partition("|")[0] if isinstance(sought, UriValue) else ""
    codes = await expansion(ctx, url, served.name(one))
    return [TokenValue(system or None, code) for system, listed in codes.items() for code in sorted(listed)]


async def expansion(ctx: Ctx, url: str, where: str) -> terminology.Codes:
    """The codes of a value set: one of R4's, or of the record's (by URL, or as `ValueSet/id`). Raises Refused."""
    known = terminology.Known({}, {})
    found = references.parse(url)
    if found.type == "ValueSet" and found.id is not None and found.server is None:
        row = await store.current(ctx.sql, ctx.tenant, rows.rid("ValueSet", found.id))
        if row is None or row["body"] is None:
            raise refuse("not-found", where, "There is no such value set.", status=400)
        known.value_sets[url] = terminology.value_set_of(decode(row["body"]))
    return await _spelled_out(ctx, lambda: terminology.expand(url, known), known, where)


async def spelled_out(ctx: Ctx, one: terminology.ValueSet, where: str) -> terminology.Codes:
    """The codes of a value set by its definition. Raises Refused."""
    known = terminology.Known({}, {})
    return await _spelled_out(ctx, lambda: terminology.spelled_out(one, known), known, where)


async def _spelled_out(
    ctx: Ctx, attempt: Callable[[], terminology.Codes], known: terminology.Known, where: str
) -> terminology.Codes:
    while True:
        try:
            return attempt()
        except terminology.Missing as missing:
            await _bring(ctx, missing, known, where)
        except terminology.Unlisted as unlisted:
            raise refuse("not-supported", where, f"The value set cannot be listed: {unlisted}.", status=400) from None


async def _bring(ctx: Ctx, missing: terminology.Missing, known: terminology.Known, where: str) -> None:
    body = await terms.by_url(ctx.sql, ctx.tenant, missing.kind, missing.url)
    if body is None:
        what = "value set" if missing.kind == "ValueSet" else "code system"
        raise refuse("not-found", where, f"A {what} that this needs is not here.", status=400)
    if missing.kind == "ValueSet":
        known.value_sets[missing.url] = terminology.value_set_of(decode(body))
    else:
        known.code_systems[missing.url] = terminology.code_system_of(decode(body))


async def _related(ctx: Ctx, one: Filter, sought: Value) -> list[Value]:
    if not isinstance(sought, TokenValue) or not sought.system or sought.code is None:
        raise refuse("value", served.name(one), "A code is written system|code here.", status=400)
    known = terminology.Known({}, {})
    while True:
        try:
            system = known.code_system(sought.system)
            break
        except terminology.Missing as missing:
            await _bring(ctx, missing, known, served.name(one))
    found = system.below(sought.code) if one.modifier == "below" else system.above(sought.code)
    return [TokenValue(sought.system, code) for code in sorted(found or {sought.code})]


async def _tree(ctx: Ctx, one: Filter) -> Filter:
    """References to what is part of a place, or to what it is part of."""
    sought: list[int] = []
    part_of: set[int] = set()
    for value in one.values:
        if not isinstance(value, ReferenceValue) or value.id is None:
            raise refuse("value", served.name(one), "A reference is written id or Type/id here.", status=400)
        for target in (value.type,) if value.type else one.parameter.targets:
            code = tree_of(target)
            if code is None and value.type:
                raise refuse("not-supported", served.name(one), f"{target} knows no parts.", status=400)
            if code is not None:
                sought.append(rows.rid(target, value.id))
                part_of.add(rows.param(target, code))
    found = await terms.tree(ctx.sql, ctx.tenant, sought, sorted(part_of), down=one.modifier == "below")
    return msgspec.structs.replace(
        _bounded(one, [ReferenceValue(row["type"], row["id"]) for row in found]), modifier=None
    )


def tree_of(type_: str) -> str | None:
    """The parameter by which resources of a type are part of one another."""
    known = search_parameters(type_)
    return next((c for c in ("partof", "part-of") if c in known and known[c].targets == (type_,)), None)


async def _listed(ctx: Ctx, type_: str, one: Filter) -> Condition:
    """The items of lists, as ids: who may read the list may know them, and sees what they may see."""
    ids: list[Value] = []
    for value in one.values:
        id_ = value.code if isinstance(value, TokenValue) else None
        try:
            found = await reading.read(ctx, "List", id_ or "")
        except (NotFound, Gone):
            raise refuse("not-found", "_list", "There is no such List.", status=400) from None
        for entry in decode(found.body).get("entry", ()):
            item = references.parse(entry["item"].get("reference", ""))
            if item.local and item.type == type_ and not entry.get("deleted"):
                ids.append(TokenValue(None, item.id))
    named = Filter(search_parameters(type_)["_id"], None, tuple(ids))
    return Group("and", (named,))  # not by itself: nobody asks for a patient by name here
