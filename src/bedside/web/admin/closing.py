"""A ward, programme or pharmacy is closed: what hangs on it is shown first; with nothing on it it closes, and can be
opened again."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, monitoring, prescribing
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Conflict
from bedside.foundation.http import ctx_of
from bedside.web.kit import render


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs on a place, room by room: of patients counts alone. prescriptions: that wait at a pharmacy."""

    held: access.closing.Holding
    alarms: int
    prescriptions: int

    @property
    def any(self) -> bool:
        """Whether it can not be closed yet."""
        return bool(self.held.any or self.alarms or self.prescriptions)


async def _hanging(ctx: Ctx, place: str) -> Hanging:
    """An administrator's. Raises Forbidden, NotFound."""
    held = await access.closing.holding(ctx, place)
    waiting = await prescribing.waiting_at(ctx, place) if held.place.kind == "pharmacy" else 0
    return Hanging(held, await monitoring.alarms_at(ctx, place, {one.patient for one in held.stays}), waiting)


async def page(request: Request) -> Response:
    """GET /admin/places/{place}/close."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None) -> Response:
    async with access.work(ctx_of(request), "looked what hangs on a ward or programme", readonly=True) as ctx:
        found = await _hanging(ctx, request.path_params["place"])
        if found.held.place.closed is not None:
            raise Conflict("This place is closed already.", remedy="It stands at the end of the list.")
    return render(
        request,
        "admin/closing.html",
        error.status if error else 200,
        place=found.held.place,
        held=found.held,
        hanging=found,
        error=error,
    )


async def close(request: Request) -> Response:
    """POST: it closes, or what hangs on it is shown again."""
    place = request.path_params["place"]
    try:
        async with access.work(ctx_of(request), "closed a ward or programme") as ctx:
            await access.closing.close(ctx, place)  # first: nobody comes in from here on
            if (await _hanging(ctx, place)).any:
                what, remedy = (
                    N_("Something still hangs on this place."),
                    N_("See to what the list names; then close it."),
                )
                raise Conflict(what, remedy=remedy)
    except Conflict as error:
        return await _page(request, error)
    return RedirectResponse(f"/admin/places?closed={place}", 303)


async def reopen(request: Request) -> Response:
    """POST: it is open again; nobody is on duty there yet. Raises Conflict for one that is open."""
    async with access.work(ctx_of(request), "opened a ward or programme again") as ctx:
        await access.closing.reopen(ctx, request.path_params["place"])
    return RedirectResponse("/admin/places?reopened", 303)
