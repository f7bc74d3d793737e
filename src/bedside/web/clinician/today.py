"""Staff home: what waits for this person now, worst first. Each part is there once its room has one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records, visits
from bedside.foundation.context import Ctx
from bedside.foundation.http import ctx_of
from bedside.web.clinician import words
from bedside.web.clinician.resources import name_of
from bedside.web.kit import render

SHOWN = 12


async def page(request: Request) -> Response:
    """Who waits, open alarms, unsigned notes and devices in trouble, of the patients in this person's care."""
    async with access.work(ctx_of(request), "opened today", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        alarms = await monitoring.alarms(ctx)
        events = await monitoring.technical_events(ctx)
        waiting = [v for v in await visits.mine(ctx) if v.open]
        unsigned = await visits.notes.unsigned(ctx) if "clinician" in ctx.actor.roles else []
        concerned = [a.patient for a in alarms[:SHOWN]] + [v.patient for v in (*waiting, *unsigned[:SHOWN])]
        names = await names_of(ctx, concerned)
        places = {p.id: p.name for p in await access.places(ctx)}
        duties = [d for d in await _duties(ctx) if d.person == ctx.actor.id]
    return render(
        request,
        "clinician/today.html",
        alarms=alarms,
        shown=SHOWN,
        names=names,
        events=events,
        waiting=waiting,
        unsigned=unsigned,
        duties=duties,
        place_names=places,
        cause=words.cause,
        value_of=words.value_of,
    )


async def names_of(ctx: Ctx, patients: list[str]) -> dict[str, str]:
    """Names by patient id, each read once."""
    return {id_: name_of(await records.read(ctx, "Patient", id_)) for id_ in dict.fromkeys(patients)}


async def _duties(ctx: Ctx) -> list[access.Duty]:
    return await access.on_duty(ctx, place=None, role=None, at=ctx.clock.now())


ROUTES: list[BaseRoute] = [Route("/today", page)]
