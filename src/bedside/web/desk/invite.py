"""A patient invited to sign in as themselves: by e-mail where one leads to them, else on a sheet with a QR code.

/patients/{id}/invite says whether the patient has an account and makes the link; it is shown once, and to nobody when
it goes by e-mail.
"""

from __future__ import annotations

from typing import Any

import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.kit.languages import LANGUAGES
from bedside.web.kit.page import text_in


async def page(request: Request) -> Response:
    """GET: how it stands."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None) -> Response:
    patient = request.path_params["id"]
    async with access.work(ctx_of(request), "looked whether a patient can sign in", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        record = await records.read(ctx, "Patient", patient)
        state, account = await access.invited.patients_account(ctx, patient)
    email = telecom(record, "email") or (account.email if account else None)
    return render(
        request,
        "desk/invite.html",
        error.status if error else 200,
        patient=patient,
        name=name_of(record),
        state=state,
        email=email,
        goes=bool(email) and messaging.leads_out(ctx_of(request), "email"),
        error=error,
    )


def telecom(record: dict[str, Any], system: str) -> str | None:
    """The first value of a kind that a Patient is reached at."""
    return next(
        (str(one["value"]) for one in record.get("telecom") or () if one.get("system") == system and one.get("value")),
        None,
    )


def _language(record: dict[str, Any]) -> str:
    for one in record.get("communication") or ():
        for coding in (one.get("language") or {}).get("coding") or ():
            if str(coding.get("code", ""))[:2] in LANGUAGES:
                return str(coding["code"])[:2]
    return ""


async def make(
    request: Request, ctx: Ctx, patient: str, *, name: str, email: str | None, phone: str | None, language: str
) -> access.invited.Invited:
    """The account and its link, in ctx's transaction. language: BCP 47, where it is one of ours. Raises as access."""
    return await access.invited.invite_patient(
        ctx,
        patient,
        name=name or page_of(request).clinic.name,
        email=email or None,
        phone=phone or None,
        language=language if language in LANGUAGES else None,
        by_mail=messaging.leads_out(ctx, "email"),
    )


async def invite(request: Request) -> Response:
    """POST: the link, sent or to be handed over."""
    patient = request.path_params["id"]
    try:
        async with access.work(ctx_of(request), "invited a patient to sign in") as ctx:
            await access.require(ctx, "clinician", "nurse")
            record = await records.read(ctx, "Patient", patient)
            made = await make(
                request,
                ctx,
                patient,
                name=name_of(record),
                email=telecom(record, "email"),
                phone=telecom(record, "phone"),
                language=_language(record),
            )
    except Conflict as error:
        return await _page(request, error)
    return handed_over(request, patient, made)


def handed_over(request: Request, patient: str, made: access.invited.Invited) -> Response:
    """What became of an invitation; the link itself only where no e-mail carries it, in the patient's language."""
    reader = page_of(request)
    sheet = None
    if not made.told:
        qr = segno.make(made.link, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#ffffff")
        sheet = text_in(request, made.person.language, "desk/sheet.html", name=made.person.name, link=made.link, qr=qr)
    response = render(
        request,
        "desk/invited.html",
        patient=patient,
        person=made.person,
        made=made,
        sheet=sheet,
        caring=bool(reader.actor.roles & access.registering.CARING),
    )
    response.headers["cache-control"] = "no-store"
    return response


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/invite", page),
    Route("/patients/{id}/invite", invite, methods=["POST"]),
]
