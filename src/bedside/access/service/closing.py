"""A ward, programme or pharmacy is closed, once nothing hangs on it, and can be opened again.

The other rooms say what of theirs hangs on it in that transaction: web/admin/closing.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bedside.access.model.people import Bed, Duty, Place
from bedside.access.service.decide import require
from bedside.access.service.rota import ANSWERERS
from bedside.access.store import people as store
from bedside.access.store import rota, sessions
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, NotFound

FAR = timedelta(days=3660)
"""As long as a duty is looked for that is planned."""


@dataclass(frozen=True, slots=True)
class Holding:
    """What of access hangs on a place. stays: patients who are watched there. duties: that stand or will; not those of
    pharmacists, who still see what they dispensed. screens: its walls, which go with it."""

    place: Place
    stays: tuple[Bed, ...]
    duties: tuple[Duty, ...]
    screens: int

    @property
    def beds(self) -> int:
        """How many of the patients lie in a bed that has a name."""
        return sum(1 for one in self.stays if one.bed)

    @property
    def any(self) -> bool:
        """Whether it can not be closed."""
        return bool(self.stays or self.duties)


async def holding(ctx: Ctx, place: str) -> Holding:
    """Of a place, closed or not. An administrator's. Raises Forbidden, NotFound."""
    await require(ctx, "administrator")
    there, now = await store.place(ctx.sql, ctx.tenant, place), ctx.clock.now()
    if there is None:
        raise NotFound("There is no such place.")
    rows = await rota.rows(ctx.sql, ctx.tenant, now, now + FAR, place=place)
    duties = tuple(row.duty for row in rows if row.owner.active and row.duty.role in ANSWERERS)
    screens = await rota.rows(ctx.sql, ctx.tenant, now, now, place=place, role="display")
    stays = await store.stays(ctx.sql, ctx.tenant, place=place, patient=None)
    return Holding(there, tuple(stays), duties, sum(1 for row in screens if row.owner.active))


async def closed(ctx: Ctx, place: str) -> bool:
    """Whether it is; one that is open is not closed until this transaction, which sends something there, has ended."""
    return await store.stays_open(ctx.sql, ctx.tenant, place) is False


async def close(ctx: Ctx, place: str) -> Place:
    """It stands in no list from now on, and its walls go dark. An administrator's.

    Raises Forbidden, NotFound; Conflict where it is closed, or where somebody is watched or on duty there.
    """
    await require(ctx, "administrator")
    # Whoever admits somebody, or plans a duty, at this moment is waited for: their row is then seen.
    await store.lock_place(ctx.sql, ctx.tenant, place)
    found, now = await holding(ctx, place), ctx.clock.now()
    if found.place.closed is not None:
        raise Conflict("This place is closed already.")
    if found.any:
        raise Conflict("Something still hangs on this place.", remedy="See to what the list names; then close it.")
    for row in await rota.rows(ctx.sql, ctx.tenant, now, now, place=place, role="display"):
        await sessions.end(ctx.sql, ctx.tenant, row.duty.person, now)
        await store.change_person(ctx.sql, ctx.tenant, row.duty.person, {"active": False})
        ctx.trail.entities.append(f"person/{row.duty.person}")
        _dark(ctx, row.duty.person)
    await store.set_closed(ctx.sql, ctx.tenant, place, now)
    _wrote(ctx, place)
    return found.place


async def reopen(ctx: Ctx, place: str) -> Place:
    """It stands in the lists again, with its hours; nobody is on duty there, and no wall hangs. An administrator's.

    Raises Forbidden, NotFound; Conflict for one that is open.
    """
    await require(ctx, "administrator")
    await store.lock_place(ctx.sql, ctx.tenant, place)
    there = await store.place(ctx.sql, ctx.tenant, place)
    if there is None:
        raise NotFound("There is no such place.")
    if there.closed is None:
        raise Conflict("This place is open.")
    await store.set_closed(ctx.sql, ctx.tenant, place, None)
    _wrote(ctx, place)
    return there


def _dark(ctx: Ctx, display: str) -> None:
    ctx.then(lambda: ctx.bus.publish(f"access.ended.{ctx.tenant}.{display}", {}))


def _wrote(ctx: Ctx, place: str) -> None:
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"place/{place}")
