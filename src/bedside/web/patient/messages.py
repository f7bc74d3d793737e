"""What was written to and by the patient in their visits. Threads outside a visit come with their own room."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, visits
from bedside.foundation.http import ctx_of
from bedside.web.kit import render
from bedside.web.patient.whose import whose


async def page(request: Request) -> Response:
    """GET /messages: each visit in which something was written, newest first."""
    async with access.work(ctx_of(request), "opened the messages", readonly=True) as ctx:
        patient, _ = await whose(request, ctx)
        found = [(v, await visits.chat(ctx, v.id)) for v in await visits.of_patient(ctx, patient)]
    return render(
        request, "patient/messages.html", talks=[(v, said) for v, said in found if said], me=ctx_of(request).actor.id
    )


ROUTES: list[BaseRoute] = [Route("/messages", page)]
