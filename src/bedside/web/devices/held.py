"""What a patient holds, and giving them a device from a time to a time: a reading is theirs who held it then."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.errors import BedsideError, Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.clinician import words
from bedside.web.devices.moments import begun, moment
from bedside.web.devices.words import KINDS
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_
from bedside.web.readings.typed import BY_KEY


async def page(request: Request) -> Response:
    """GET /patients/{id}/devices."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    patient = request.path_params["id"]
    async with access.work(ctx_of(request), "looked at a patient's devices", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        name = name_of(await records.read(ctx, "Patient", patient))
        held = await monitoring.devices(ctx, patient)
        conflicts = await monitoring.conflicts(ctx, patient)
        every = await monitoring.inventory(ctx)
    now = page_of(request).now.astimezone(page_of(request).zone)
    waited = request.query_params.get("waited", "")
    return render(
        request,
        "devices/held.html",
        error.status if error else 200,
        patient=patient,
        name=name,
        held=held,
        kinds=KINDS,
        known={one.device for one in every},
        free=[one for one in every if one.patient is None and not one.held and one.state == "active"],
        conflicts=conflicts[:50],
        metric=words.metric,
        letters=dict(BY_KEY["consciousness"].letters),
        typed=typed or {"device": "", "since": f"{now:%Y-%m-%dT%H:%M}", "until": ""},
        error=error,
        given="waited" in request.query_params,
        waited=int(waited) if waited.isascii() and waited.isdigit() else 0,
        back="back" in request.query_params,
    )


async def give(request: Request) -> Response:
    """Give the patient a device. What it sent from then on, and waited for a holder, is theirs now."""
    patient = request.path_params["id"]
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in ("device", "since", "until")}
    zone = page_of(request).zone
    try:
        since, until = begun(typed["since"], zone, page_of(request).now), moment(typed["until"], zone, "until")
        if since is not None and until is not None and until <= since:
            raise Invalid(N_("The end lies before the beginning."), where="until")
        async with access.work(ctx_of(request), "gave a patient a device") as ctx:
            await access.require(ctx, "clinician", "nurse")
            waited = await monitoring.assign_device(ctx, typed["device"], patient, since=since, until=until)
    except (Invalid, NotFound, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"/patients/{patient}/devices?waited={waited}", 303)


async def take(request: Request) -> Response:
    """Take a device back, from now on. What it sends then waits for a person."""
    patient, device = request.path_params["id"], request.path_params["device"]
    async with access.work(ctx_of(request), "took a device back") as ctx:
        await access.require(ctx, "clinician", "nurse")
        if all(one.device != device for one in await monitoring.devices(ctx, patient)):
            raise NotFound(N_("This patient does not hold such a device."))
        await monitoring.assign_device(ctx, device, None)
    return RedirectResponse(f"/patients/{patient}/devices?back=1", 303)


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/devices", page, methods=["GET"]),
    Route("/patients/{id}/devices", give, methods=["POST"]),
    Route("/patients/{id}/devices/{device}/take", take, methods=["POST"]),
]
