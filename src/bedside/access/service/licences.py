"""Licences of staff, whether one of them covers the place where a patient is, and those that end soon."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bedside.access.model.licence import Licence, LicenceDecision, decide
from bedside.access.service.decide import require
from bedside.access.service.people import people, person
from bedside.access.service.unit import work
from bedside.access.store import licences as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue

AHEAD = timedelta(days=30)
"""Before a licence ends its holder and the administrators are told; site choice."""


async def add_licence(ctx: Ctx, licence: Licence) -> None:
    """Record or change a licence. Raises NotFound for an unknown person, Invalid for days in the wrong order."""
    await person(ctx, licence.person)
    if licence.until < licence.since:
        raise Invalid("It ends before it begins.", where="until")
    await store.put(ctx, licence)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{licence.person}")


async def licence_decision(ctx: Ctx, who: str, jurisdiction: str, *, home: str) -> LicenceDecision:
    """May who treat somebody who is in jurisdiction (US-NY, DE) today? home: the country of the clinic."""
    return decide(jurisdiction, home, await store.of(ctx, who), ctx.clock.now().date())


async def licences_of(ctx: Ctx, who: str) -> list[Licence]:
    """Every licence of a person, for an administrator. Raises Forbidden."""
    await require(ctx, "administrator")
    return await store.of(ctx, who)


async def licences_ending(ctx: Ctx) -> list[tuple[str, Licence]]:
    """Name and licence of those who work here and whose licence ends within 30 days or has ended, the soonest first;
    one that another of the same place outlasts is left out. An administrator's. Raises Forbidden."""
    await require(ctx, "administrator")
    return await store.ending(ctx, ctx.clock.now().date() + AHEAD)


async def remind(ctx: Ctx, _: dict[str, Any]) -> None:
    """A job: whoever holds a licence that ends within 30 days is told, and the administrators, once for each end."""
    async with work(ctx, "reminded of licences that end") as inner:
        now = inner.clock.now()
        ahead = [one for one in await store.ending(inner, now.date() + AHEAD) if one[1].until >= now.date()]
        told = [one for one in ahead if await store.remind(inner, one[1], now)]
        if not told:
            return
        administrators = await people(inner, role="administrator")
        for name, licence in told:
            await _tell(inner, licence.person, "access.licence-ends", {})
            for one in administrators:
                if one.id != licence.person:
                    await _tell(inner, one.id, "access.licences-end", {"name": name})
            inner.trail.entities.append(f"person/{licence.person}")
        inner.trail.wrote = True


async def _tell(ctx: Ctx, person: str, template: str, data: dict[str, str]) -> None:
    notice = {"id": uuid7(), "person": person, "template": template, "data": data}
    await enqueue(ctx, "messaging.send", notice)
