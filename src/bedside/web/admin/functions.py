"""Functions that would need clearance: whether they run here, and the switch with its reason, for the administrator."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, monitoring
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import render


async def page(request: Request) -> Response:
    """GET /admin/functions."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the functions", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        alarms = await monitoring.alarm_function(ctx)
    done = "set" in request.query_params
    return render(
        request, "admin/functions.html", error.status if error else 200, alarms=alarms, error=error, done=done
    )


async def switch_alarms(request: Request) -> Response:
    """POST: on or off, with why."""
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "switched alarms from readings") as ctx:
            await monitoring.switch_alarms(ctx, on=form.get("on") == "1", reason=str(form.get("reason") or ""))
    except Invalid as error:
        return await _page(request, error)
    return RedirectResponse("/admin/functions?set", 303)
