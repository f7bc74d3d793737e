"""References that lead to nothing: what a site lets stand when others are deleted, or written before their targets.

What has a search parameter counts as a reference (as in the index); one in an extension does not.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from bedside import access
from bedside.fhir.definitions import search_parameters
from bedside.fhir.issues import Issue
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict
from bedside.records import settings
from bedside.records.model import rows as indexing
from bedside.records.model.json import decode
from bedside.records.model.openness import outside
from bedside.records.model.refusals import Refused
from bedside.records.model.stored import Stored
from bedside.records.service.registry import provided_types, provider_of, providers
from bedside.records.store import integrity as store
from bedside.records.store import providing
from bedside.records.store import reading as types_of
from bedside.records.store.providing import ProviderSearch

NAMED = 10
"""Referring resources named in an answer."""
_PLAIN = re.compile(r"(?:.*/)?([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/.*)?")


async def check(ctx: Ctx, results: Sequence[Stored]) -> list[Stored]:
    """The results of a write, with what the site wants to be told. Raises Conflict, Refused where it enforces.

    Called after the write and before its commit, so that a transaction that takes or brings both ends is well.
    """
    chosen = settings.of(ctx.database)
    gone = [one for one in results if not one.body and one.changed]
    kept = [one for one in results if one.body and one.changed]
    said: dict[str, list[Issue]] = {}
    if gone and chosen.deletions != "off":
        for one, issue in await _orphans(ctx, gone):
            if chosen.deletions == "enforce":
                raise Conflict(issue.diagnostics, where=one.reference, remedy="Delete or change those first.")
            said.setdefault(one.reference, []).append(issue)
    if kept and chosen.references != "off":
        dangling = await _dangling(ctx, kept, "error" if chosen.references == "enforce" else "warning")
        if dangling and chosen.references == "enforce":
            raise Refused([issue for _, issue in dangling], status=422)
        for one, issue in dangling:
            said.setdefault(one.reference, []).append(issue)
    if not said:
        return list(results)
    return [one._replace(issues=tuple(said.get(one.reference, ()))) for one in results]


async def _orphans(ctx: Ctx, gone: Sequence[Stored]) -> list[tuple[Stored, Issue]]:
    """What deleted resources leave behind, and who refers to each."""
    types = await types_of.types(ctx.sql, ctx.tenant)
    params_of = {one.type: _params(types, one.type) for one in gone}
    left: set[int] = set()
    for type_, params in params_of.items():
        rids = [indexing.rid(type_, one.id) for one in gone if one.type == type_]
        left |= await store.still_named(ctx.sql, ctx.tenant, rids, params)
    found = []
    for one in gone:
        if indexing.rid(one.type, one.id) not in left and one.type != "Patient":
            continue
        params = params_of[one.type]
        rows = await store.referring(ctx.sql, ctx.tenant, indexing.rid(one.type, one.id), params, NAMED + 1)
        names = [f"{row['type']}/{row['id']}" for row in rows if await _seen(ctx, row["type"], row["patients"])]
        names += await _provided(ctx, one)
        if rows or names:
            found.append((one, Issue("warning", "conflict", one.reference, _told(names, len(rows)))))
    return found


def _told(names: list[str], many: int) -> str:
    shown = ", ".join(names[:NAMED])
    if not names:
        return "Others refer to this, which you may not read."
    if max(many, len(names)) > len(names[:NAMED]):
        return f"Others refer to this: {shown}, and more."
    return f"Others refer to this: {shown}."


async def _seen(ctx: Ctx, type_: str, patients: Sequence[str]) -> bool:
    if not patients:
        return outside(ctx.actor.kind, ctx.actor.roles, type_) and await access.may(ctx, None, "R", what=type_)
    return any([await access.may(ctx, patient, "R", what=type_) for patient in patients])


async def _provided(ctx: Ctx, one: Stored) -> list[str]:
    """Readings and the like of a patient who is deleted."""
    if one.type != "Patient":
        return []
    names = []
    for type_ in provided_types():
        for provider in providers(type_):
            rows = await providing.page(ctx.sql, ctx.tenant, ProviderSearch(provider, (), [one.id], limit=1))
            names += [f"{type_}/{row['id']}" for row in rows]
    return names


def _params(types: Iterable[str], target: str) -> list[int]:
    """The reference parameters of types that may lead to a target."""
    return [
        indexing.param(type_, code)
        for type_ in types
        for code, one in search_parameters(type_).items()
        if one.type == "reference" and (not one.targets or target in one.targets)
    ]


async def _dangling(ctx: Ctx, kept: Sequence[Stored], severity: Any) -> list[tuple[Stored, Issue]]:
    """Written resources whose references lead to nothing that stands there, with those references."""
    by_rid = {indexing.rid(one.type, one.id): one for one in kept}
    params = [
        indexing.param(type_, code)
        for type_ in {one.type for one in kept}
        for code, one in search_parameters(type_).items()
        if one.type == "reference"
    ]
    rows = await store.referred(ctx.sql, ctx.tenant, list(by_rid), params)
    living = await store.living(ctx.sql, ctx.tenant, [row["target"] for row in rows])
    found = []
    for number in dict.fromkeys(row["rid"] for row in rows if row["target"] not in living):
        one = by_rid[number]
        missing = {row["target"] for row in rows if row["rid"] == number} - living
        for place, type_, id_ in _named(decode(one.body), one.type):
            if indexing.rid(type_, id_) in missing and provider_of(type_, id_) is None:
                what = f"{type_}/{id_} is not there."
                found.append((one, Issue(severity, "not-found", place, what)))
    return found


def _named(node: Any, place: str) -> Iterable[tuple[str, str, str]]:
    """Every reference to a resource here: its place, type and id."""
    if isinstance(node, list):
        for n, inner in enumerate(node):
            yield from _named(inner, f"{place}[{n}]")
    elif isinstance(node, dict):
        match = _PLAIN.fullmatch(node["reference"]) if isinstance(node.get("reference"), str) else None
        if match:
            yield f"{place}.reference", match[1], match[2]
        for name, inner in node.items():
            if isinstance(inner, dict | list):
                yield from _named(inner, f"{place}.{name}")
