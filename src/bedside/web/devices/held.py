"""What a patient holds, and giving them a device from a time to a time: a reading is theirs who held it then."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.errors import BedsideError, Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.clinician import words
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_

KINDS = {
    "blood-pressure": N_("Blood-pressure cuff"),
    "heart-rate": N_("Heart-rate meter"),
    "pulse-oximeter": N_("Pulse oximeter"),
    "thermometer": N_("Thermometer"),
    "scale": N_("Weighing scale"),
    "glucose-meter": N_("Glucose meter"),
    "interface": N_("another system"),
    "monitor": N_("Monitor"),
    "paired": N_("the patient's own, by Bluetooth"),
}
"""monitoring's kinds, in words."""


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
        conflicts=conflicts[:50],
        metric=words.metric,
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
        since, until = moment(typed["since"], zone, "since"), moment(typed["until"], zone, "until")
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


def moment(text: str, zone: ZoneInfo, where: str) -> datetime | None:
    """What a datetime-local field holds, as an instant of the reader's zone; None when empty. Raises Invalid."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone)
    except ValueError:
        raise Invalid(N_("That is no date and time."), where=where) from None


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/devices", page, methods=["GET"]),
    Route("/patients/{id}/devices", give, methods=["POST"]),
    Route("/patients/{id}/devices/{device}/take", take, methods=["POST"]),
]
