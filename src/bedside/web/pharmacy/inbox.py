"""The pharmacist's inbox and one prescription in it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, prescribing, records
from bedside.fhir.names import name_of
from bedside.foundation.errors import BedsideError, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.clinician.dosage import dosage
from bedside.web.clinician.prescribe import STEPS
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_

STEPPED = {
    "accept": N_("accepted a prescription"),
    "dispense": N_("dispensed a prescription"),
    "refuse": N_("refused a prescription"),
}
"""What the pharmacist did, as a patient reads it on "who looked at my record"."""


async def inbox(request: Request) -> Response:
    """GET: what waits, then what is done."""
    async with access.work(ctx_of(request), "opened the pharmacy's inbox", readonly=True) as ctx:
        found = await prescribing.inbox(ctx)
        patients = {p: await records.read(ctx, "Patient", p) for p in {rx.draft.patient for rx in found}}
    language = page_of(request).language
    rows = [(rx, name_of(patients[rx.draft.patient]), dosage(rx.draft, language)) for rx in found]
    return render(
        request,
        "pharmacy/inbox.html",
        waiting=[row for row in rows if row[0].status in {"signed", "accepted"}],
        done=[row for row in rows if row[0].status not in {"signed", "accepted"}],
    )


async def one(request: Request) -> Response:
    """GET: one prescription."""
    return await _one(request)


async def _one(request: Request, error: BedsideError | None = None) -> Response:
    async with access.work(ctx_of(request), "read a prescription at the pharmacy", readonly=True) as ctx:
        found = next((rx for rx in await prescribing.inbox(ctx) if rx.id == request.path_params["key"]), None)
        if found is None:
            found = await prescribing.get(ctx, request.path_params["key"])
        patient = await records.read(ctx, "Patient", found.draft.patient)
    return render(
        request,
        "pharmacy/prescription.html",
        status=error.status if error else 200,
        rx=found,
        name=name_of(patient),
        born=patient.get("birthDate"),
        words=dosage(found.draft, page_of(request).language),
        steps=STEPS,
        error=error,
    )


async def step(request: Request) -> Response:
    """POST: accept, dispense or refuse."""
    key, form = request.path_params["key"], await request.form()
    name = request.path_params["step"]
    if name not in STEPPED:
        raise NotFound("There is no such step.")
    try:
        async with access.work(ctx_of(request), STEPPED[name]) as ctx:
            await prescribing.step(ctx, key, name, str(form.get("reason", "")))
    except BedsideError as error:
        if error.status not in {400, 409}:
            raise
        return await _one(request, error)
    return RedirectResponse("/pharmacy" if name != "accept" else f"/pharmacy/{key}", 303)


ROUTES: list[BaseRoute] = [
    Route("/pharmacy", inbox),
    Route("/pharmacy/{key}", one),
    Route("/pharmacy/{key}/{step}", step, methods=["POST"]),
]
