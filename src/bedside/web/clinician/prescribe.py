"""Prescribing: search the formulary, fill in, read what the check found, sign; later read its steps or cancel."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, prescribing, visits
from bedside.foundation.errors import BedsideError, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.prescribing import Draft, Medicine
from bedside.web.clinician import finding
from bedside.web.clinician.banner import banner_of
from bedside.web.clinician.dosage import COUNTED, WAYS, dosage
from bedside.web.clinician.licence import licence_words
from bedside.web.clinician.summary import Header
from bedside.web.entry import proof_of
from bedside.web.kit import page_of, render, translator
from bedside.web.kit.places import N_

STEPS = {
    "sign": N_("Signed and sent"),
    "accept": N_("Accepted"),
    "dispense": N_("Dispensed"),
    "refuse": N_("Refused"),
    "cancel": N_("Cancelled"),
}
"""A prescription's steps as staff read them, here and at the pharmacy."""

REFILL_STATES = {"asked": N_("asked for"), "renewed": N_("renewed"), "refused": N_("refused")}


def _number(form: Any, name: str) -> float:
    try:
        return float(str(form.get(name, "")).replace(",", "."))
    except ValueError:
        raise Invalid("Write a number.", where=name) from None


async def choose(request: Request) -> Response:
    """GET: search the formulary (q), or with medicine the form to fill in."""
    patient, query = request.path_params["patient"], request.query_params
    values = {"visit": query.get("visit", "")}
    async with access.work(ctx_of(request), "opened the prescribing page", readonly=True) as ctx:
        await access.require(ctx, "clinician")
        banner = await banner_of(ctx, patient)
        found = prescribing.find(query.get("q", ""), said=translator(page_of(request).language))
        chosen = prescribing.medicine(query["medicine"]) if "medicine" in query else None
        pharmacies = await prescribing.pharmacies(ctx)
        if "refill" in query:
            asked = await prescribing.refill(ctx, query["refill"])
            prior = await prescribing.get(ctx, asked.prescription)
            if asked.patient != patient:
                raise NotFound("There is no such request for a refill.")
            chosen = chosen or prescribing.medicine(prior.draft.medicine)
            values |= {"refill": asked.id} | _as_before(prior.draft)
    return _form(request, banner, chosen, found, pharmacies, values=values)


def _as_before(draft: Draft) -> dict[str, Any]:
    """What a renewal's form is filled in with: the prescription before, all but its note."""
    boxes = {name: "1" for name in ("substitution", "as_needed") if getattr(draft, name)}
    same = {name: getattr(draft, name) for name in ("unit", "route", "frequency", "days", "pharmacy")}
    return {"dose": f"{draft.dose:g}"} | same | boxes


def _form(
    request: Request,
    banner: Header,
    chosen: Medicine | None,
    found: list[Medicine],
    pharmacies: list[prescribing.Pharmacy],
    *,
    values: dict[str, Any],
    error: BedsideError | None = None,
) -> Response:
    return render(
        request,
        "clinician/prescribe.html",
        status=error.status if error else 200,
        patient=banner,
        chosen=chosen,
        found=found,
        query=request.query_params.get("q", ""),
        pharmacies={p.id: f"{p.name}, {p.address}" for p in pharmacies},
        routes={route: WAYS.get(route, route) for route in (chosen.routes if chosen else ())},
        frequencies={key: words[0] for key, words in prescribing.FREQUENCIES.items()},
        units=COUNTED,
        values=dict.fromkeys(("dose", "route", "frequency", "days", "pharmacy", "note", "visit", "refill"), "")
        | {"key": uuid7(), "unit": chosen.form if chosen and chosen.form in COUNTED else "tablet"}
        | values,
        error=error,
    )


async def write(request: Request) -> Response:
    """POST: keep the draft and go to the signing page; a wrong field brings the form back with what was typed."""
    patient = request.path_params["patient"]
    form = await request.form()
    try:
        draft = Draft(
            patient=patient,
            medicine=str(form.get("medicine", "")),
            dose=_number(form, "dose"),
            unit=str(form.get("unit", "")),
            route=str(form.get("route", "")),
            frequency=str(form.get("frequency", "")),
            days=int(_number(form, "days")),
            pharmacy=str(form.get("pharmacy", "")),
            substitution="substitution" in form,
            as_needed="as_needed" in form,
            note=str(form.get("note", ""))[:2000],
            visit=str(form.get("visit", "")) or None,
            refill=str(form.get("refill", "")) or None,
        )
        async with access.work(ctx_of(request), "wrote a prescription") as ctx:
            kept = await prescribing.save(ctx, draft, key=str(form.get("key") or uuid7()))
    except BedsideError as error:
        if error.status not in {400, 422}:
            raise
        async with access.work(ctx_of(request), "opened the prescribing page", readonly=True) as ctx:
            banner, pharmacies = await banner_of(ctx, patient), await prescribing.pharmacies(ctx)
            chosen = prescribing.medicine(str(form.get("medicine", "")))
        return _form(request, banner, chosen, [], pharmacies, values=dict(form), error=error)
    return RedirectResponse(f"/prescriptions/{kept.id}", 303)


async def show(request: Request) -> Response:
    """GET: the draft with its findings, ready to sign; or what was signed, with its steps."""
    return await _show(request)


async def _show(
    request: Request, error: BedsideError | None = None, reasons: dict[str, str] | None = None, licence_reason: str = ""
) -> Response:
    home = request.app.state.clinic.country
    async with access.work(ctx_of(request), "read a prescription", readonly=True) as ctx:
        found = await prescribing.get(ctx, request.path_params["key"])
        banner = await banner_of(ctx, found.draft.patient)
        pharmacies = {p.id: p for p in await prescribing.pharmacies(ctx, closed=True)}
        asked = [r for r in await prescribing.refills(ctx, found.draft.patient) if r.prescription == found.id]
        visit = found.draft.visit if found.status == "draft" else None
        signing = await visits.licence_to_sign(ctx, visit, home=home) if visit else None
    return render(
        request,
        "clinician/prescription.html",
        status=error.status if error else 200,
        patient=banner,
        rx=found,
        words=dosage(found.draft, page_of(request).language),
        pharmacy=pharmacies[found.draft.pharmacy],
        error=error,
        reasons=reasons if reasons is not None else found.draft.overrides,
        steps=STEPS,
        asked=asked,
        refill_states=REFILL_STATES,
        finding=finding,
        found={one.key: one for one in found.checks},
        signing=signing,
        signing_words=licence_words(signing, page_of(request)) if signing else None,
        licence_reason=licence_reason,
    )


async def sign(request: Request) -> Response:
    """POST: the reasons, then the signature. Who you are is asked again, and of a visit's prescription the licence."""
    key = request.path_params["key"]
    form = await request.form()
    home, licence_reason = request.app.state.clinic.country, str(form.get("licence-reason", ""))
    reasons = {k.removeprefix("reason:"): str(v) for k, v in form.items() if k.startswith("reason:")}
    try:
        async with access.work(ctx_of(request), "signed a prescription") as ctx:
            await prescribing.give_reasons(ctx, key, reasons)
            draft = (await prescribing.get(ctx, key)).draft
            if draft.visit:
                await visits.sign_under_licence(ctx, draft.visit, draft.patient, home=home, reason=licence_reason)
            await prescribing.sign(ctx, key, proof_of(form))
    except BedsideError as error:
        if error.status >= 500:
            raise
        return await _show(request, error, reasons, licence_reason)
    return RedirectResponse(f"/prescriptions/{key}", 303)


async def cancel(request: Request) -> Response:
    """POST: cancel it, with a reason. Who you are is asked again where the pharmacy has it already."""
    key = request.path_params["key"]
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "cancelled a prescription") as ctx:
            sent = (await prescribing.get(ctx, key)).status != "draft"
            await prescribing.cancel(ctx, key, str(form.get("reason", "")), proof_of(form) if sent else None)
    except BedsideError as error:
        if error.status >= 500:
            raise
        return await _show(request, error)
    return RedirectResponse(f"/prescriptions/{key}", 303)


async def refuse_refill(request: Request) -> Response:
    """POST: no to a patient's request, with a reason that the patient reads."""
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "refused a refill") as ctx:
            await prescribing.refuse_refill(ctx, str(form.get("refill", "")), str(form.get("reason", "")))
    except BedsideError as error:
        if error.status not in {400, 409}:
            raise
        return await _show(request, error)
    return RedirectResponse(f"/prescriptions/{request.path_params['key']}#refill", 303)


async def paper(request: Request) -> Response:
    """GET: a copy to print, for a pharmacy without Bedside."""
    async with access.work(ctx_of(request), "printed a prescription", readonly=True) as ctx:
        found = await prescribing.get(ctx, request.path_params["key"])
        banner = await banner_of(ctx, found.draft.patient)
        pharmacies = {p.id: p for p in await prescribing.pharmacies(ctx, closed=True)}
    return render(
        request,
        "clinician/prescription_paper.html",
        patient=banner,
        rx=found,
        words=dosage(found.draft, page_of(request).language),
        pharmacy=pharmacies[found.draft.pharmacy],
    )


ROUTES: list[BaseRoute] = [
    Route("/patients/{patient}/prescribe", choose, methods=["GET"]),
    Route("/patients/{patient}/prescribe", write, methods=["POST"]),
    Route("/prescriptions/{key}", show),
    Route("/prescriptions/{key}/sign", sign, methods=["POST"]),
    Route("/prescriptions/{key}/cancel", cancel, methods=["POST"]),
    Route("/prescriptions/{key}/refuse-refill", refuse_refill, methods=["POST"]),
    Route("/prescriptions/{key}/print", paper),
]
