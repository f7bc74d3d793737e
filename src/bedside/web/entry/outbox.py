"""The demo's outbox: what would have gone to telephones and mailboxes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bedside import access, messaging
from bedside.foundation.http import ctx_of
from bedside.web.kit import render


async def page(request: Request) -> Response:
    """GET /demo/outbox; outside the demo there is no such page."""
    async with access.work(ctx_of(request), "opened the demo's outbox", readonly=True) as inner:
        notices = await messaging.outbox(inner)
    return render(request, "entry/outbox.html", notices=notices)
