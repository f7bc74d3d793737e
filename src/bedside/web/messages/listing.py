"""Messages: at home one's conversations and what was written in visits; at the clinic the inbox, who waits first."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, visits
from bedside.foundation.http import ctx_of
from bedside.web.clinician.today import names_of
from bedside.web.kit import render
from bedside.web.kit.places import CLINICAL, N_
from bedside.web.patient.whose import whose

SHOWN = {"team": N_("My patients'"), "mine": N_("Mine"), "closed": N_("Closed")}


async def page(request: Request) -> Response:
    """GET /messages."""
    return await (_inbox if ctx_of(request).actor.roles & CLINICAL else _home)(request)


async def _home(request: Request) -> Response:
    async with access.work(ctx_of(request), "opened the messages", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
        rows = await messaging.threads.of_patient(ctx, patient)
        found = [(v, await visits.chat(ctx, v.id)) for v in await visits.of_patient(ctx, patient)]
        writes = await access.may(ctx, patient, "C", what="Communication")
    actor = ctx_of(request).actor
    return render(
        request,
        "messages/list.html",
        rows=rows,
        talks=[(v, said) for v, said in found if said],
        me=actor.id,
        other=name if name != actor.name else "",
        writes=writes,
    )


async def _inbox(request: Request) -> Response:
    shown, only = request.query_params.get("show", "team"), request.query_params.get("patient", "")
    shown = shown if shown in SHOWN else "team"
    async with access.work(ctx_of(request), "opened the inbox of messages", readonly=True) as ctx:
        me = ctx.actor.id
        if only:
            rows = await messaging.threads.of_patient(ctx, only)
        else:
            rows = await messaging.threads.inbox(ctx, closed=shown == "closed")
        if shown == "mine":
            rows = [row for row in rows if row.thread.assigned == me]
        names = await names_of(ctx, [row.thread.patient for row in rows] + ([only] if only else []))
        away = await messaging.threads.stand_in(ctx)
    return render(
        request,
        "messages/inbox.html",
        rows=rows,
        names=names,
        shown=shown,
        choices=SHOWN,
        only=only,
        me=me,
        away=away,
    )


ROUTES: list[BaseRoute] = [Route("/messages", page)]
