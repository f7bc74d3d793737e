"""What may be seen of the types that a search leads through: chains, `_has`, `_list`, includes."""

from collections.abc import Iterable

from bedside import access
from bedside.fhir.grammar import Filter, Has
from bedside.fhir.query import Condition, Group
from bedside.foundation.context import Ctx
from bedside.records.model.openness import outside
from bedside.records.store.statement import Sight


class Sights:
    """Asked of access once for each type."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.known: dict[str, Sight] = {}

    async def of(self, type_: str) -> Sight:
        """What may be seen of a type."""
        if type_ not in self.known:
            visible = await access.visible(self.ctx, type_)
            may = await access.may(self.ctx, None, "R", what=type_)
            alone = may and outside(self.ctx.actor.kind, self.ctx.actor.roles, type_)
            self.known[type_] = Sight(None if visible is None else sorted(visible), alone)
        return self.known[type_]

    async def reach(self, patients: list[str], type_: str) -> bool:
        """Whether a resource of these patients may be seen; those whom it is seen for are noted."""
        sight = await self.of(type_)
        if not patients:
            return sight.outside
        mine = set(patients) if sight.patients is None else set(patients).intersection(sight.patients)
        for patient in mine:
            self.ctx.trail.patients.setdefault(patient, set()).add("R")
        return bool(mine)

    async def through(self, filters: Iterable[Condition]) -> dict[str, Sight]:
        """What may be seen on the way of these filters. Raises Forbidden where one leads only through types of which
        the actor may read nothing: the answer would say nothing of what was asked."""
        for types in _ways(filters):
            seen = [await self.of(one) for one in types]
            if not any(sight.patients is None or sight.patients or sight.outside for sight in seen):
                await access.authorise(self.ctx, None, "R", what=types[0])
        return self.known


def _ways(filters: Iterable[Condition]) -> Iterable[tuple[str, ...]]:
    """The types that each chain and `_has` may lead to, at any depth."""
    for one in filters:
        if isinstance(one, Group):
            yield from _ways(one.parts)
        elif isinstance(one, Has):
            yield (one.type,)
            yield from _ways((one.filter,))
        elif isinstance(one, Filter) and one.chain is not None:
            yield one.targets or one.parameter.targets
            yield from _ways((one.chain,))
