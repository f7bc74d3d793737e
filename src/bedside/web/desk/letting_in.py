"""A patient who cannot sign in any more gets a code: at the desk, having shown a document, or called back.

/patients/{id}/let-in says what to go by and hands out the code, which is shown once, in the patient's own language.
?call=ID: of a request to be called, which is then answered.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Forbidden, Invalid, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.entry import proof_of
from bedside.web.kit import render
from bedside.web.kit.page import text_in
from bedside.web.kit.places import N_

SEEN = {
    "passport": N_("Passport"),
    "identity-card": N_("Identity card"),
    "driving-licence": N_("Driving licence"),
    "residence-permit": N_("Residence permit"),
    "other-document": N_("Another official document with a photograph"),
}
ASKED = {
    "address": N_("Their address and postcode"),
    "visit": N_("Whom they saw here last, and when"),
    "medicine": N_("A medicine that they take"),
    "contact": N_("Who is their contact in an emergency"),
    "device": N_("Which device the clinic lent them"),
}


async def page(request: Request) -> Response:
    """GET: what to go by."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, Any] | None = None) -> Response:
    patient = request.path_params["id"]
    conflict: BedsideError | None = None
    async with access.work(ctx_of(request), "looked how a patient can be let in again", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        record = await records.read(ctx, "Patient", patient)
        numbers = await records.telephones(ctx, patient)
        try:
            await access.recovery.account(ctx, patient)
        except Conflict as none:
            conflict = none
        now = ctx.clock.now()
    error = error or conflict
    return render(
        request,
        "desk/let_in.html",
        error.status if error else 200,
        patient=patient,
        record=record,
        name=name_of(record),
        able=conflict is None,
        numbers=[(one, access.recovery.too_new(one.since, now)) for one in numbers],
        seen=SEEN,
        asked=ASKED,
        call=(typed or {}).get("call") or request.query_params.get("call", ""),
        typed=typed or {"how": "", "number": "", "asked": []},
        error=error,
    )


async def hand_out(request: Request) -> Response:
    """POST: the code."""
    patient, form = request.path_params["id"], await request.form()
    typed = {name: str(form.get(name) or "")[:100] for name in ("how", "number", "call")}
    answered = [str(one) for one in form.getlist("asked")]
    try:
        async with access.work(ctx_of(request), "looked how a patient can be let in again", readonly=True) as ctx:
            record = await records.read(ctx, "Patient", patient)
            call = None
            if typed["how"] == "call":
                since = await _since(ctx, patient, typed["number"])
                call = access.recovery.Call(since, frozenset(answered))
        made = await access.recovery.hand_out(
            ctx_of(request),
            patient,
            birth=str(record.get("birthDate") or ""),
            how=typed["how"],
            proof=proof_of(dict(form)),
            call=call,
        )
    except (Conflict, Forbidden, Invalid, TooMany) as error:
        return await _page(request, error, {**typed, "asked": answered})
    if typed["call"] and call is not None:
        async with access.work(ctx_of(request), "answered a request to be called") as inner:
            await access.calling.close(inner, typed["call"], "let-in")
    return _shown(request, patient, made)


async def _since(ctx: Ctx, patient: str, number: str) -> datetime | None:
    """Since when the record holds the number that was called. Raises Invalid for any other."""
    for one in await records.telephones(ctx, patient):
        if one.number == number:
            return one.since
    raise Invalid(N_("Choose which of the record's numbers you called."), where="number")


def _shown(request: Request, patient: str, made: access.recovery.HandedOut) -> Response:
    where = f"{request.url.netloc}/sign-in/again"
    sheet = text_in(request, made.language, "desk/code_sheet.html", made=made, where=where)
    response = render(request, "desk/let_in_code.html", patient=patient, made=made, sheet=sheet)
    response.headers["cache-control"] = "no-store"
    return response


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/let-in", page),
    Route("/patients/{id}/let-in", hand_out, methods=["POST"]),
]
