"""The administrator sets and ends substitutes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of
from bedside.web.rota.week import week_page
from bedside.web.rota.words import moment


async def add(request: Request) -> Response:
    """POST: from then to then one is asked instead of the other; what is wrong is said with what was typed."""
    form = dict(await request.form())
    try:
        zone = page_of(request).zone
        since, until = moment(form, "since", zone), moment(form, "until", zone)
        async with access.work(ctx_of(request), "set a substitute") as ctx:
            await access.rota.set_substitute(
                ctx,
                person=str(form.get("person") or ""),
                by=str(form.get("by") or ""),
                since=since,
                until=until,
                duty=str(form.get("duty") or "") or None,
            )
    except (Invalid, Conflict) as error:
        return await week_page(request, error, form)
    return RedirectResponse("/admin/rota?set#substitutes", 303)


async def end(request: Request) -> Response:
    """POST: it ends now."""
    try:
        async with access.work(ctx_of(request), "ended a substitution") as ctx:
            await access.rota.end_substitute(ctx, request.path_params["id"])
    except Conflict as error:
        return await week_page(request, error)
    return RedirectResponse("/admin/rota?ended#substitutes", 303)
