"""The patient's medicines: each prescription with its steps, and what else the record says is taken."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, prescribing, records
from bedside.foundation.http import ctx_of
from bedside.web.clinician import summary
from bedside.web.kit import render
from bedside.web.kit.places import N_
from bedside.web.patient.dosage import dosage
from bedside.web.patient.whose import whose

STEPS = {
    "signed": N_("sent to the pharmacy"),
    "accepted": N_("the pharmacy is preparing it"),
    "dispensed": N_("handed out"),
    "refused": N_("the pharmacy could not prepare it"),
    "cancelled": N_("cancelled"),
}
"""A prescription's state, and each of its steps, as the patient reads it."""


async def page(request: Request) -> Response:
    """GET /medicines."""
    async with access.work(ctx_of(request), "opened the medicines", readonly=True) as ctx:
        patient, _ = await whose(request, ctx)
        found = [p for p in await prescribing.of_patient(ctx, patient) if p.status != "draft"]
        pharmacies = {p.id: p for p in await prescribing.pharmacies(ctx)}
        request_page = await records.search(ctx, "MedicationRequest", {"patient": patient, "_count": "200"})
        statements = await records.search(ctx, "MedicationStatement", {"patient": patient, "_count": "200"})
    ours = {p.id for p in found}
    listed = summary.medicines([r for r in request_page.entries if r["id"] not in ours], statements.entries)
    return render(
        request,
        "patient/medicines.html",
        prescriptions=found,
        pharmacies=pharmacies,
        dosage=dosage,
        steps=STEPS,
        others=listed.current,
    )


ROUTES: list[BaseRoute] = [Route("/medicines", page)]
