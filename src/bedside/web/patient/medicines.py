"""The patient's medicines: each prescription with its steps, and what else the record says is taken."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, prescribing, records
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import ctx_of
from bedside.web.clinician import summary
from bedside.web.clinician.dosage import dosage
from bedside.web.kit import render
from bedside.web.kit.places import N_
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
    return await _page(request)


async def ask(request: Request) -> Response:
    """POST: more of a medicine, please."""
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "asked for a refill") as ctx:
            asked = await prescribing.ask_refill(ctx, request.path_params["key"], str(form.get("note", "")))
    except BedsideError as error:
        if error.status not in {400, 409}:
            raise
        return await _page(request, error)
    return RedirectResponse(f"/medicines#p-{asked.prescription}", 303)


async def _page(request: Request, error: BedsideError | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the medicines", readonly=True) as ctx:
        patient, _ = await whose(request, ctx)
        found = [p for p in await prescribing.of_patient(ctx, patient) if p.status != "draft"]
        pharmacies = {p.id: p for p in await prescribing.pharmacies(ctx, closed=True)}
        refills = await prescribing.refills(ctx, patient)
        now = ctx.clock.now()
        request_page = await records.every(ctx, "MedicationRequest", {"patient": patient})
        statements = await records.every(ctx, "MedicationStatement", {"patient": patient})
    ours = {p.id for p in found}
    listed = summary.medicines([r for r in request_page.entries if r["id"] not in ours], statements.entries)
    asked = {p.id: [r for r in refills if r.prescription == p.id] for p in found}
    return render(
        request,
        "patient/medicines.html",
        status=error.status if error else 200,
        asked=asked,
        why_not={p.id: prescribing.impossible(p, asked[p.id], now) for p in found},
        error=error,
        prescriptions=found,
        pharmacies=pharmacies,
        dosage=dosage,
        steps=STEPS,
        others=listed.current,
    )


ROUTES: list[BaseRoute] = [
    Route("/medicines", page),
    Route("/medicines/{key}/refill", ask, methods=["POST"]),
]
