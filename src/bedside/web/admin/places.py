"""The wards and programmes of the clinic: where patients are watched and staff are on duty."""

from __future__ import annotations

from typing import Literal
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, prescribing
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.kit import page_of, render

KINDS: tuple[Literal["ward", "programme", "pharmacy"], ...] = ("ward", "programme", "pharmacy")


FIELDS = ("name", "kind", "zone", "telephone", "address")


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
        typed=typed or dict.fromkeys(FIELDS, "") | {"kind": "programme", "zone": page_of(request).clinic.zone},
        error=error,
        zones=sorted(available_timezones()),
        done="added" in request.query_params,
    )


async def add(request: Request) -> Response:
    """POST: one more. A pharmacy is a place where pharmacists work."""
    form = await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split()) for name in FIELDS}
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
            made = await access.add_place(ctx, uuid7(), typed["name"], kind, typed["zone"])
            if kind == "pharmacy":
                if not typed["telephone"]:
                    raise Invalid("Write the pharmacy's telephone.", where="telephone")
                shop = prescribing.Pharmacy(made.id, made.name, typed["telephone"], typed["address"])
                await prescribing.put_pharmacy(ctx, shop)
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse("/admin/places?added", 303)
