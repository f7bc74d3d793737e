"""_include and _revinclude: what a page's matches refer to, and what refers to them."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from bedside.fhir import index, references
from bedside.fhir.definitions import resource_types, search_parameters
from bedside.fhir.grammar import Filter, Include, ReferenceValue
from bedside.fhir.query import Query
from bedside.foundation.context import Ctx
from bedside.records.model import rows as indexing
from bedside.records.model.json import decode
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service.reading import as_stored, stored
from bedside.records.service.registry import provided_types, provider_of, providers
from bedside.records.service.sights import Sights
from bedside.records.service.sources import Match
from bedside.records.store import including as store
from bedside.records.store import providing
from bedside.records.store.providing import ProviderSearch
from bedside.records.store.statement import params

ROUNDS = 5
"""How far :iterate follows."""
MOST = 2000
"""Resources that may be added to one page."""


class _One(NamedTuple):
    """A resource on the page, or one that may come to it. kept: whether the store has it, and so its references."""

    stored: Stored
    patients: list[str]
    kept: bool


async def included(ctx: Ctx, query: Query, matches: Sequence[Match]) -> list[Stored]:
    """What belongs beside the matches, each once, only what the actor may see. Raises Refused when it is too much."""
    if not (query.includes or query.revincludes):
        return []
    have = {one.stored.reference for one in matches}
    added: dict[str, Stored] = {}
    sights = Sights(ctx)
    fresh = [_One(one.stored, [], one.kept) for one in matches]
    for n in range(ROUNDS):
        found: list[_One] = []
        for include in query.includes:
            if n == 0 or include.iterate:
                found += await _forward(ctx, include, fresh)
        for include in query.revincludes:
            if n == 0 or include.iterate:
                found += await _backward(ctx, include, fresh, sights)
        fresh = []
        for one in found:
            name = one.stored.reference
            if name not in have and name not in added and await sights.reach(one.patients, one.stored.type):
                added[name] = one.stored
                fresh.append(one)
        if len(added) > MOST:
            raise refuse(
                "too-costly", "_include", f"This would add more than {MOST} resources; ask for fewer.", status=400
            )
        if not fresh:
            break
    return list(added.values())


# -- what the sources refer to -------------------------------------------------------------------------------------


async def _forward(ctx: Ctx, include: Include, sources: Sequence[_One]) -> list[_One]:
    mine = [one for one in sources if include.source in (None, one.stored.type)]
    which = _leading(include, {one.stored.type for one in mine})
    found: list[_One] = []
    kept = [indexing.rid(one.stored.type, one.stored.id) for one in mine if one.kept]
    if kept:
        rows = await store.referred(ctx.sql, ctx.tenant, kept, which, include.target)
        rows += await store.referred_by_url(ctx.sql, ctx.tenant, kept, which, _with_urls(include.target))
        found += [_One(stored(row), list(row["patients"]), True) for row in rows]
    # What the store has no rows of (readings, audit entries) is asked itself, and so is who may refer to readings.
    opened = [one for one in mine if not one.kept or _may_name_readings(include)]
    named = [name for one in opened for name in _names(one.stored, include)]
    return found + await _by_name(ctx, named, include.target)


def _leading(include: Include, types: set[str]) -> list[int]:
    """The parameters of the types that an include follows."""
    codes = [(one, p.code) for one in types for p in search_parameters(one).values() if p.type == "reference"]
    asked = [(one, code) for one, code in codes if include.parameter is None or include.parameter.code == code]
    return sorted({number for one, code in asked for number in params(one, code)})


def _may_name_readings(include: Include) -> bool:
    if include.target is not None:
        return include.target in provided_types()
    return any(
        include.parameter is None or not include.parameter.targets or one in include.parameter.targets
        for one in provided_types()
    )


def _names(one: Stored, include: Include) -> list[tuple[str, str]]:
    """Type and id of all that a resource refers to by the parameter."""
    only = None if include.parameter is None else frozenset({include.parameter.code})
    values = index.extract(decode(one.body), composites=False, only=only).references
    return [(v.type, v.id) for v in values if v.type and v.id]


async def _by_name(ctx: Ctx, names: Iterable[tuple[str, str]], target: str | None) -> list[_One]:
    plain: dict[int, None] = {}
    given: dict[str, dict[str, None]] = {}
    for type_, id_ in names:
        if target not in (None, type_):
            continue
        provider = provider_of(type_, id_)
        if provider is None:
            plain[indexing.rid(type_, id_)] = None
        else:
            given.setdefault(provider.view, {})[id_] = None
    rows = await store.by_rids(ctx.sql, ctx.tenant, list(plain)) if plain else []
    found = [_One(stored(row), list(row["patients"]), True) for row in rows]
    for view, ids in given.items():
        provider = next(p for type_ in provided_types() for p in providers(type_) if p.view == view)
        found += [_provided(one) for one in (await provider.render(ctx, list(ids))).values()]
    return found


def _provided(resource: dict[str, Any]) -> _One:
    whose = references.parse((resource.get("subject") or resource.get("patient") or {}).get("reference", ""))
    return _One(as_stored(resource), [whose.id] if whose.type == "Patient" and whose.id else [], False)


def _with_urls(target: str | None) -> list[int]:
    """The parameters under which resources with a URL are found by it."""
    types = [target] if target is not None else sorted(resource_types())
    return [indexing.param(one, indexing.CANONICAL) for one in types if "url" in search_parameters(one)]


# -- what refers to the targets ------------------------------------------------------------------------------------


async def _backward(ctx: Ctx, include: Include, targets: Sequence[_One], sights: Sights) -> list[_One]:
    mine = [one.stored for one in targets if include.target in (None, one.stored.type)]
    if not mine:
        return []
    rids = [indexing.rid(one.type, one.id) for one in mine]
    which = _referring(include, {one.type for one in mine})
    rows = await store.referring(ctx.sql, ctx.tenant, rids, which, MOST + 1)
    if urls := [n for one in {o.type for o in mine} for n in _with_urls(one)]:
        rows += await store.referring_by_url(ctx.sql, ctx.tenant, rids, urls, which, MOST + 1)
    found = [_One(stored(row), list(row["patients"]), True) for row in rows]
    for type_ in provided_types():
        if include.source in (None, type_):
            found += await _readings(ctx, type_, include, mine, sights)
    return found


def _referring(include: Include, targets: set[str]) -> list[int]:
    if include.parameter is not None and include.source is not None:
        return params(include.source, include.parameter.code)
    found = {
        number
        for source in ([include.source] if include.source else sorted(resource_types()))
        for one in search_parameters(source).values()
        if one.type == "reference" and (not one.targets or targets & set(one.targets))
        for number in params(source, one.code)
    }
    return sorted(found)


async def _readings(ctx: Ctx, type_: str, include: Include, targets: Sequence[Stored], sights: Sights) -> list[_One]:
    sight = await sights.of(type_)
    codes = [include.parameter.code] if include.parameter is not None else None
    found: dict[str, _One] = {}
    for provider in providers(type_):
        for code, column in provider.columns.items():
            parameter = search_parameters(type_)[code]
            if column.kind != "reference" or (codes is not None and code not in codes):
                continue
            sought = tuple(
                ReferenceValue(one.type, one.id)
                for one in targets
                if not parameter.targets or one.type in parameter.targets
            )
            patients = sight.patients
            if sought and code in ("patient", "subject") and all(one.type == "Patient" for one in targets):
                ids = {one.id for one in targets}
                patients = sorted(ids if patients is None else ids.intersection(patients))
            if not sought:
                continue
            search = ProviderSearch(provider, (Filter(parameter, None, sought),), patients, limit=MOST + 1)
            ids_ = [row["id"] for row in await providing.page(ctx.sql, ctx.tenant, search)]
            for id_, resource in (await provider.render(ctx, ids_) if ids_ else {}).items():
                found[id_] = _provided(resource)
    return list(found.values())
