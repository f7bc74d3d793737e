"""A reading typed by hand: choose what, type it, look again when it is unusual. Marked as typed, by whom."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.foundation.errors import Invalid, NotFound, Unprocessable
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.patient.whose import whose
from bedside.web.readings.typed import BY_KEY, KINDS, Kind, taken


async def choose(request: Request) -> Response:
    """What will you send? Staff see what staff record too."""
    staff = "id" in request.path_params
    patient, name = await _patient(request, "chose what to type")
    kinds = [k for k in KINDS if staff or not k.staff]
    return render(request, "readings/choose.html", kinds=kinds, patient=patient, name=name, staff=staff)


async def form(request: Request) -> Response:
    """The numbers of one kind."""
    kind = _kind(request)
    patient, name = await _patient(request, "opened a form for a reading")
    return _form(request, kind, patient, name, {})


async def keep(request: Request) -> Response:
    """Store it; an implausible value is asked again, once; then on to what it means."""
    kind, staff = _kind(request), "id" in request.path_params
    typed = dict(await request.form())
    units = page_of(request).units
    patient = name = ""
    try:
        async with access.work(ctx_of(request), "typed a reading") as ctx:
            patient, name = await whose(request, ctx)
            readings = await monitoring.enter_readings(ctx, taken(kind, typed, units, patient))
    except Unprocessable as unusual:
        patient, name = await _patient(request, "looked at a reading again")
        return _form(request, kind, patient, name, typed, unusual=unusual)
    except Invalid as error:
        patient, name = await _patient(request, "corrected a form for a reading")
        return _form(request, kind, patient, name, typed, error=error)
    where = f"/patients/{patient}?typed=1" if staff else f"/readings/sent/{readings[0].id}"
    return RedirectResponse(where, 303)


def _kind(request: Request) -> Kind:
    kind = BY_KEY.get(request.path_params["kind"])
    if kind is None or (kind.staff and "id" not in request.path_params):
        raise NotFound("There is no such reading.")
    return kind


async def _patient(request: Request, what: str) -> tuple[str, str]:
    async with access.work(ctx_of(request), what, readonly=True) as ctx:
        return await whose(request, ctx)


def _form(
    request: Request,
    kind: Kind,
    patient: str,
    name: str,
    typed: dict[str, Any],
    *,
    error: Invalid | None = None,
    unusual: Unprocessable | None = None,
) -> Response:
    wrong = error or unusual
    return render(
        request,
        "readings/form.html",
        wrong.status if wrong else 200,
        kind=kind,
        patient=patient,
        name=name,
        typed=typed,
        error=error,
        unusual=unusual,
        staff="id" in request.path_params,
    )


ROUTES: list[BaseRoute] = [
    Route("/readings/send", choose),
    Route("/readings/send/{kind}", form, methods=["GET"]),
    Route("/readings/send/{kind}", keep, methods=["POST"]),
    Route("/patients/{id}/reading", choose),
    Route("/patients/{id}/reading/{kind}", form, methods=["GET"]),
    Route("/patients/{id}/reading/{kind}", keep, methods=["POST"]),
]
