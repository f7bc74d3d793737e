"""Writes whose target is told by criteria: of any number of callers at once, each sees what the others made."""

from typing import Any

import msgspec

from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound, PreconditionFailed
from bedside.foundation.ids import uuid7
from bedside.records import settings
from bedside.records.model import rows as indexing
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service import searching
from bedside.records.service.searching import Params
from bedside.records.service.writing import Draft, write
from bedside.records.store import writing as store

MOST = 500
"""Resources that one conditional delete may take."""


def criteria_key(ctx: Ctx, type_: str, criteria: Params) -> int:
    """What callers with the same criteria queue for, however these were spelt."""
    query = searching.parse(type_, criteria)
    return indexing.key(f"{ctx.tenant} {type_} {sorted(repr(one) for one in query.filters)!r}")


async def target(ctx: Ctx, type_: str, criteria: Params) -> Stored | None:
    """The one resource that matches, once it is this caller's turn. Raises PreconditionFailed when several do."""
    await store.claim(ctx.sql, [criteria_key(ctx, type_, criteria)])
    return await searching.only(ctx, type_, criteria)


async def create(ctx: Ctx, draft: Draft, criteria: Params) -> Stored:
    """Create unless one matches, which is then answered with created and changed False."""
    found = await target(ctx, draft.type, criteria)
    return found if found is not None else (await write(ctx, [draft]))[0]


async def update(ctx: Ctx, resource: dict[str, Any], type_: str, criteria: Params, if_match: int | None) -> Stored:
    """The next version of the one that matches; where none does, a new one under the resource's id or a fresh one."""
    found = await target(ctx, type_, criteria)
    given = resource.get("id")
    if found is not None:
        if given is not None and given != found.id:
            raise refuse("value", f"{type_}.id", "The resource that matches has another id.", status=400)
        draft = Draft("put", type_, found.id, resource, if_match=if_match, checked=True)
    elif if_match is not None:
        raise PreconditionFailed("Nothing matches the criteria, so no version of it can.")
    elif given is not None:
        draft = Draft("put", type_, given, resource, checked=True)
    else:
        draft = Draft("create", type_, uuid7(), resource, checked=True)
    return (await write(ctx, [draft]))[0]


async def delete(ctx: Ctx, type_: str, criteria: Params, if_match: int | None = None) -> list[Stored]:
    """Delete the one that matches, or all that do where the site lets it. Raises NotFound when none does."""
    await store.claim(ctx.sql, [criteria_key(ctx, type_, criteria)])
    found = await targets(ctx, type_, criteria)
    if not found:
        raise NotFound(f"No {type_} matches the criteria.")
    if if_match is not None and len(found) > 1:
        raise PreconditionFailed("Several match, and If-Match names one version.", remedy="Narrow the criteria.")
    return await write(ctx, [Draft("delete", type_, one.id, None, if_match=if_match) for one in found])


async def targets(ctx: Ctx, type_: str, criteria: Params) -> list[Stored]:
    """What a conditional delete meets: one at most, unless the site lets it meet several (settings.many).

    Raises PreconditionFailed when that is more than it may.
    """
    if not settings.of(ctx.database).many:
        one = await searching.only(ctx, type_, criteria)
        return [] if one is None else [one]
    query = searching.parse(type_, criteria)
    if not query.filters:
        raise refuse("required", type_, "Criteria are needed, and none were given.", status=400)
    query = msgspec.structs.replace(query, count=MOST, sort=(), cursor=None, includes=(), revincludes=())
    found = await searching.run(ctx, query)
    if found.next is not None:
        raise PreconditionFailed(f"More than {MOST} {type_} resources match the criteria.", remedy="Narrow them.")
    return found.matches
