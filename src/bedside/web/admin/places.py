"""The wards and programmes of the clinic: where patients are watched and staff are on duty."""

from __future__ import annotations

from typing import Literal
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.kit import render

KINDS: tuple[Literal["ward", "programme", "pharmacy"], ...] = ("ward", "programme", "pharmacy")


async def page(request: Request) -> Response:
    """GET /admin/places."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the wards and programmes", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        found = await access.places(ctx)
    return render(
        request,
        "admin/places.html",
        error.status if error else 200,
        places=found,
        typed=typed or {"name": "", "kind": "programme", "zone": request.app.state.clinic.zone},
        error=error,
        zones=sorted(available_timezones()),
        done="added" in request.query_params,
    )


async def add(request: Request) -> Response:
    """POST: one more. A pharmacy is a place where pharmacists work."""
    form = await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split()) for name in ("name", "kind", "zone")}
    try:
        async with access.work(ctx_of(request), "added a ward or programme") as ctx:
            await access.require(ctx, "administrator")
            if not typed["name"]:
                raise Invalid("Write its name.", where="name")
            kind = next((one for one in KINDS if one == typed["kind"]), None)
            if kind is None:
                raise Invalid("Choose what it is.", where="kind")
            if any(one.name.casefold() == typed["name"].casefold() for one in await access.places(ctx)):
                raise Conflict("There is one of this name already.", where="name")
            await access.add_place(ctx, uuid7(), typed["name"], kind, typed["zone"])
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse("/admin/places?added", 303)
