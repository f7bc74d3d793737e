"""_include and _revinclude: what a page's matches refer to, and what refers to them."""

from collections.abc import Sequence

from bedside import access
from bedside.fhir.definitions import search_parameters
from bedside.fhir.grammar import Include
from bedside.fhir.query import Query
from bedside.foundation.context import Ctx
from bedside.foundation.database import Row
from bedside.records.model import rows as indexing
from bedside.records.model.openness import outside
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service.reading import stored
from bedside.records.store import searching as store
from bedside.records.store.conditions import params

ROUNDS = 5
"""How far :iterate follows."""
MOST = 2000
"""Resources that may be added to one page."""


async def included(ctx: Ctx, query: Query, matches: Sequence[Stored]) -> list[Stored]:
    """What belongs beside the matches, each once, only what the actor may see. Raises Refused when it is too much."""
    if not (query.includes or query.revincludes) or not matches:
        return []
    have = {indexing.rid(one.type, one.id) for one in matches}
    added: dict[int, Row] = {}
    sight = _Sight(ctx)
    fresh = {indexing.rid(one.type, one.id): one.type for one in matches}
    for n in range(ROUNDS):
        rows: list[Row] = []
        for one in query.includes:
            if n == 0 or one.iterate:
                rows += await _forward(ctx, one, fresh)
        for one in query.revincludes:
            if n == 0 or one.iterate:
                rows += await _backward(ctx, one, fresh)
        fresh = {}
        for row in rows:
            if row["rid"] not in have and row["rid"] not in added and await sight.reaches(row):
                added[row["rid"]] = row
                fresh[row["rid"]] = row["type"]
        if len(added) > MOST:
            raise refuse("too-costly", "_include", f"This would add more than {MOST} resources; ask for fewer.")
        if not fresh:
            break
    return [stored(row) for row in added.values()]


async def _forward(ctx: Ctx, include: Include, sources: dict[int, str]) -> list[Row]:
    rids = [rid for rid, type_ in sources.items() if type_ == include.source]
    if not rids:
        return []
    which = None if include.parameter is None else params(include.source, include.parameter.code)
    return await store.referred(ctx.sql, ctx.tenant, rids, which, include.target)


async def _backward(ctx: Ctx, include: Include, targets: dict[int, str]) -> list[Row]:
    rids = [rid for rid, type_ in targets.items() if include.target in (None, type_)]
    if not rids:
        return []
    if include.parameter is None:
        codes = [p.code for p in search_parameters(include.source).values() if p.type == "reference"]
    else:
        codes = [include.parameter.code]
    which = sorted({number for code in codes for number in params(include.source, code)})
    return await store.referring(ctx.sql, ctx.tenant, rids, which, MOST + 1)


class _Sight:
    """Who may be seen beside the matches: asked once a type."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.known: dict[str, frozenset[str] | None] = {}

    async def reaches(self, row: Row) -> bool:
        """Whether the actor may see this resource; its patients are noted when they may."""
        type_, patients = row["type"], row["patients"]
        if type_ not in self.known:
            self.known[type_] = await access.visible(self.ctx, type_)
        visible = self.known[type_]
        if patients:
            mine = set(patients) if visible is None else visible.intersection(patients)
            for patient in mine:
                self.ctx.trail.patients.setdefault(patient, set()).add("R")
            return bool(mine)
        may = await access.may(self.ctx, None, "R", what=type_)
        return may and outside(self.ctx.actor.kind, self.ctx.actor.roles, type_)
