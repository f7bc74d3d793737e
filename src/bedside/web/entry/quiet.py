"""Quiet hours of whoever is signed in: on a patient's Me page, on the account of staff."""

from __future__ import annotations

from datetime import time

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, messaging
from bedside.foundation.errors import Invalid
from bedside.foundation.http import ctx_of


async def save(request: Request) -> Response:
    """POST: from when to when, or none; back to the page of the form, which says what was wrong."""
    form = {k: str(v) for k, v in (await request.form()).items()}
    back = request.url.path.removesuffix("/quiet")
    try:
        hours = (time.fromisoformat(form.get("begins", "")), time.fromisoformat(form.get("ends", "")))
    except ValueError:
        hours = None
    if form.get("quiet") == "yes" and hours is None:
        return RedirectResponse(f"{back}?quiet=times#quiet", 303)
    try:
        async with access.work(ctx_of(request), "set quiet hours") as ctx:
            await messaging.set_quiet_hours(ctx, hours if form.get("quiet") == "yes" else None)
    except Invalid:
        return RedirectResponse(f"{back}?quiet=same#quiet", 303)
    return RedirectResponse(f"{back}?saved=1", 303)
