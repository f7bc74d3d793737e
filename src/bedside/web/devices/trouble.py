"""/devices: what went wrong between a body and the record, one line a device and kind, until somebody has seen it; and
every device of the clinic, with who holds it and when it was last heard.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.foundation.errors import Invalid
from bedside.foundation.http import ctx_of
from bedside.web.clinician.today import names_of
from bedside.web.devices.words import KINDS
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_


async def page(request: Request) -> Response:
    """GET /devices: what asks for a hand first, then every device, then what took care of itself."""
    async with access.work(ctx_of(request), "looked at trouble with devices", readonly=True) as ctx:
        events = await monitoring.technical_events(ctx)
        devices = await monitoring.inventory(ctx)
        names = await names_of(ctx, [one.patient for one in events if one.patient])
        names |= {row.id: row.name for row in await records.in_care(ctx)} if any(one.patient for one in devices) else {}
    return render(
        request,
        "devices/trouble.html",
        asking=[event for event in events if not event.routine],
        routine=[event for event in events if event.routine],
        names=names,
        devices=[one for one in devices if one.state == "active"],
        retired=[one for one in devices if one.state != "active"],
        known={one.device for one in devices},
        kinds=KINDS,
        caring=bool(page_of(request).actor.roles & access.registering.CARING),
        done=next((word for word in ("seen", "again") if word in request.query_params), None),
    )


async def seen(request: Request) -> Response:
    """POST /devices/seen: these events were seen; the next of their kind begins a new line."""
    form = await request.form()
    events = [str(value) for value in form.getlist("event")]
    if not events or not all(one.isascii() and one.isdigit() and len(one) < 19 for one in events):
        raise Invalid(N_("Choose what you have seen."), where="event")
    async with access.work(ctx_of(request), "saw trouble with devices") as ctx:
        await monitoring.technical_events_seen(ctx, [int(one) for one in events])
    return RedirectResponse("/devices?seen=1", 303)


async def unseen(request: Request) -> Response:
    """POST /devices/unseen: that was a slip; they stand here again."""
    async with access.work(ctx_of(request), "took back that trouble with devices was seen") as ctx:
        await monitoring.technical_events_unseen(ctx)
    return RedirectResponse("/devices?again=1", 303)


ROUTES: list[BaseRoute] = [
    Route("/devices", page),
    Route("/devices/seen", seen, methods=["POST"]),
    Route("/devices/unseen", unseen, methods=["POST"]),
]
