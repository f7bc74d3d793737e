"""/devices/{device}: one device: who held it when, what it last sent, a new password, and its end."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.clinician import words
from bedside.web.clinician.today import names_of
from bedside.web.devices import new
from bedside.web.devices.moments import begun, moment
from bedside.web.devices.words import KINDS
from bedside.web.kit import page_of, render, told
from bedside.web.kit.places import N_

ROLES = ("nurse", "clinician", "administrator")
FIELDS = ("patient", "since", "until")
DONE = frozenset({"given", "back", "retired"})


async def page(request: Request) -> Response:
    """GET: the device as it stands."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    name = request.path_params["device"]
    async with access.work(ctx_of(request), "looked at a device", readonly=True) as ctx:
        sheet = await monitoring.device_sheet(ctx, name)
        names = await names_of(ctx, [one.patient for one in sheet.stays if one.patient])
        patients = await records.in_care(ctx) if sheet.device.state == "active" else []
    reader = page_of(request)
    waited = request.query_params.get("given", "")
    return render(
        request,
        "devices/device.html",
        error.status if error else 200,
        device=sheet.device,
        sheet=sheet,
        names=names,
        patients=patients,
        kinds=KINDS,
        metric=words.metric,
        typed=typed or {"patient": "", "since": "", "until": ""},
        faults={error.where: told(error, reader.language)} if error and error.where in FIELDS else {},
        error=error,
        caring=bool(reader.actor.roles & access.registering.CARING),
        done=next(iter(DONE & set(request.query_params)), None),
        waited=int(waited) if waited.isascii() and waited.isdigit() else 0,
    )


async def give(request: Request) -> Response:
    """POST: a patient holds it, now or from a time to a time; whoever held it then gives it back then."""
    name, form = request.path_params["device"], await request.form()
    typed = {field: str(form.get(field) or "").strip() for field in FIELDS}
    zone = page_of(request).zone
    try:
        since, until = begun(typed["since"], zone, page_of(request).now), moment(typed["until"], zone, "until")
        if not typed["patient"]:
            raise Invalid(N_("Choose who holds it."), where="patient")
        async with access.work(ctx_of(request), "gave a patient a device") as ctx:
            await access.require(ctx, "nurse", "clinician")
            await _in_use(ctx, name)
            begins = since or ctx.clock.now()
            if until is not None and until <= begins:
                raise Invalid(N_("The end lies before the beginning."), where="until")
            waited = await monitoring.assign_device(ctx, name, typed["patient"], since=since, until=until)
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"/devices/{name}?given={waited}", 303)


async def _in_use(ctx: Ctx, name: str) -> monitoring.Device:
    """The device, where it is one that may be given. Raises Forbidden as its page does, Conflict."""
    found = (await monitoring.device_sheet(ctx, name)).device
    if found.state != "active":
        raise Conflict(
            N_("This device is retired."), remedy=N_("Add it anew: it gets a name and a password of its own.")
        )
    return found


async def take(request: Request) -> Response:
    """POST: the patient gives it back, now. What it sends then waits for a person."""
    name = request.path_params["device"]
    async with access.work(ctx_of(request), "took a device back") as ctx:
        await access.require(ctx, "nurse", "clinician")
        await _in_use(ctx, name)
        await monitoring.assign_device(ctx, name, None)
    return RedirectResponse(f"/devices/{name}?back", 303)


async def password(request: Request) -> Response:
    """POST: another password, on a new card; whoever came in by the old one is cut off."""
    name = request.path_params["device"]
    async with access.work(ctx_of(request), "gave a device a new password") as ctx:
        await access.require(ctx, *ROLES)
        made = await monitoring.new_password(ctx, name)
        one = (await monitoring.device_sheet(ctx, name)).device
        holder = {}
        if one.patient is not None:
            record = await records.read(ctx, "Patient", one.patient)
            holder = {
                "id": one.patient,
                "name": name_of(record),
                "language": await new.spoken(ctx, one.patient, record),
            }
    return new.card(request, made, one.kind, one.label, holder, page_of(request).clinic.language, renewed=True)


async def retire(request: Request) -> Response:
    """POST: for good."""
    name = request.path_params["device"]
    async with access.work(ctx_of(request), "retired a device") as ctx:
        await access.require(ctx, *ROLES)
        await monitoring.retire_device(ctx, name)
    return RedirectResponse(f"/devices/{name}?retired", 303)


ROUTES: list[BaseRoute] = [
    Route("/devices/{device}", page),
    Route("/devices/{device}/give", give, methods=["POST"]),
    Route("/devices/{device}/take", take, methods=["POST"]),
    Route("/devices/{device}/password", password, methods=["POST"]),
    Route("/devices/{device}/retire", retire, methods=["POST"]),
]
