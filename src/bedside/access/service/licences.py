"""Licences of staff, and whether one of them covers the place where a patient is."""

from __future__ import annotations

from bedside.access.model.licence import Licence, LicenceDecision, decide
from bedside.access.service.people import person
from bedside.access.store import licences as store
from bedside.foundation.context import Ctx


async def add_licence(ctx: Ctx, licence: Licence) -> None:
    """Record or change a licence. Raises NotFound for an unknown person."""
    await person(ctx, licence.person)
    await store.put(ctx, licence)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{licence.person}")


async def licence_decision(ctx: Ctx, who: str, jurisdiction: str, *, home: str) -> LicenceDecision:
    """May who treat somebody who is in jurisdiction (US-NY, DE) today? home: the country of the clinic."""
    return decide(jurisdiction, home, await store.of(ctx, who), ctx.clock.now().date())
