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


async def _page(request: Request, error: BedsideError | None = None, wrong: str = "") -> Response:
    """wrong: of which function's form the error is."""
    async with access.work(ctx_of(request), "opened the functions", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        found = {name: await monitoring.function(ctx, name) for name in ("alarms", "glucose-report", "irregular-pulse")}
    done = "set" in request.query_params
    return render(
        request,
        "admin/functions.html",
        error.status if error else 200,
        functions=found,
        error=error,
        wrong=wrong,
        done=done,
    )


async def switch(request: Request) -> Response:
    """POST: on or off, with why."""
    name, form = request.path_params["name"], await request.form()
    try:
        async with access.work(ctx_of(request), "switched a function") as ctx:
            reason = str(form.get("reason") or "")
            await monitoring.switch_function(ctx, name, on=form.get("on") == "1", reason=reason)
    except Invalid as error:
        return await _page(request, error, name)
    return RedirectResponse("/admin/functions?set", 303)
