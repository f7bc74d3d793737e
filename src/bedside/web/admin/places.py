"""The wards and programmes of the clinic: where patients are watched and staff are on duty."""

from __future__ import annotations

from typing import Literal
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, prescribing
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.kit import page_of, render

KINDS: tuple[Literal["ward", "programme", "pharmacy"], ...] = ("ward", "programme", "pharmacy")

LONGEST = 80
FIELDS = ("name", "kind", "zone", "telephone", "address")


async def page(request: Request) -> Response:
    """GET /admin/places."""
    return await _page(request)


async def _page(
    request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None, *, wrong: str = ""
) -> Response:
    """wrong: the place whose change the error is about; empty: one to be added."""
    async with access.work(ctx_of(request), "opened the wards and programmes", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        everything = await access.places(ctx, closed=True)
        shops = {one.id: one for one in await prescribing.pharmacies(ctx, closed=True)}
    blank = dict.fromkeys(FIELDS, "") | {"kind": "programme", "zone": page_of(request).clinic.zone}
    return render(
        request,
        "admin/places.html",
        error.status if error else 200,
        places=[one for one in everything if one.closed is None],
        closed=[one for one in everything if one.closed is not None],
        shops=shops,
        wrong=wrong,
        typed=blank if wrong else typed or blank,
        row=typed or blank,
        error=error,
        zones=sorted(available_timezones()),
        done=next((word for word in ("added", "changed", "closed", "reopened") if word in request.query_params), None),
        undo=next((one for one in everything if one.closed and one.id == request.query_params.get("closed")), None),
    )


async def add(request: Request) -> Response:
    """POST: one more. A pharmacy is a place where pharmacists work."""
    form = await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split()) for name in FIELDS}
    try:
        async with access.work(ctx_of(request), "added a ward or programme") as ctx:
            await access.require(ctx, "administrator")
            await _named(ctx, typed["name"])
            kind = next((one for one in KINDS if one == typed["kind"]), None)
            if kind is None:
                raise Invalid("Choose what it is.", where="kind")
            made = await access.add_place(ctx, uuid7(), typed["name"], kind, typed["zone"])
            if kind == "pharmacy":
                if not typed["telephone"]:
                    raise Invalid("Write the pharmacy's telephone.", where="telephone")
                shop = prescribing.Pharmacy(made.id, made.name, typed["telephone"], typed["address"])
                await prescribing.put_pharmacy(ctx, shop)
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse("/admin/places?added", 303)


async def change(request: Request) -> Response:
    """POST: what it is called; of a pharmacy its telephone and address too. Its kind and clock stay: patients and
    shifts go by them."""
    form, key = await request.form(), request.path_params["place"]
    typed = {name: " ".join(str(form.get(name) or "").split()) for name in FIELDS}
    try:
        async with access.work(ctx_of(request), "changed a ward or programme") as ctx:
            await access.require(ctx, "administrator")
            one = next((one for one in await access.places(ctx) if one.id == key), None)
            if one is None:
                raise NotFound("There is no such place.")
            await _named(ctx, typed["name"], but=key)
            await access.add_place(ctx, key, typed["name"], one.kind)
            if one.kind == "pharmacy":
                if not typed["telephone"]:
                    raise Invalid("Write the pharmacy's telephone.", where="telephone")
                shop = prescribing.Pharmacy(key, typed["name"], typed["telephone"], typed["address"])
                await prescribing.put_pharmacy(ctx, shop)
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed, wrong=key)
    return RedirectResponse("/admin/places?changed", 303)


async def _named(ctx: Ctx, name: str, *, but: str = "") -> None:
    """Raise Invalid or Conflict for what no place can be called, itself aside."""
    if not name:
        raise Invalid("Write its name.", where="name")
    if len(name) > LONGEST:
        raise Invalid("This is longer than %(most)s characters.", where="name", most=LONGEST)
    same = [one for one in await access.places(ctx, closed=True) if one.name.casefold() == name.casefold()]
    if any(one.id != but and one.closed is None for one in same):
        raise Conflict("There is one of this name already.", where="name")
    if any(one.id != but for one in same):
        raise Conflict("A closed one is called so: open it again, at the end of this page.", where="name")
