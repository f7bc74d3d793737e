"""/patients/{id}/caregivers: whom a patient lets in, written down by the staff to whom the patient said so."""

from __future__ import annotations

from collections.abc import Mapping

import segno
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, records
from bedside.fhir.names import name_of
from bedside.foundation.errors import BedsideError, Conflict, Invalid, NotFound, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render, told
from bedside.web.kit.page import text_in
from bedside.web.kit.places import N_
from bedside.web.patient import consent

CARE = ("clinician", "nurse")
FIELDS = (*consent.FIELDS, "how")


async def page(request: Request) -> Response:
    """GET."""
    return await _page(request)


async def _page(
    request: Request, error: BedsideError | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    patient = request.path_params["id"]
    async with access.work(ctx_of(request), "looked whom a patient lets in", readonly=True) as ctx:
        await access.require(ctx, *CARE)
        name = name_of(await records.read(ctx, "Patient", patient))
        people = await consent.shown(ctx, patient)
        mails = messaging.leads_out(ctx, "email")
    return render(
        request,
        "desk/caregivers.html",
        error.status if error else 200,
        patient=patient,
        name=name,
        people=people,
        error=error,
        faults={error.where: told(error, page_of(request).language)} if error and error.where in FIELDS else {},
        typed=typed or consent.blank() | {"how": ""},
        may=consent.MAY,
        shown=consent.SHOWN,
        mails=mails,
        back="back" in request.query_params,
    )


async def let_in(request: Request) -> Response:
    """POST: one more, as the patient said; how they said so is kept with the consent."""
    patient, form = request.path_params["id"], await request.form()
    typed = consent.read(form) | {"how": " ".join(str(form.get("how") or "").split())[:500]}
    reader = page_of(request)
    try:
        said = consent.checked(typed, today=reader.now.astimezone(reader.zone).date())
        if not typed["how"]:
            raise Invalid(N_("Say how the patient told you."), where="how")
        await access.limits.spend(ctx_of(request), "registering", ctx_of(request).actor.id)
        async with access.work(ctx_of(request).with_(reason=typed["how"]), "let somebody in for a patient") as ctx:
            await access.require(ctx, *CARE)
            goes = messaging.leads_out(ctx, "email")
            made = await consent.let_in(ctx, patient, said, reader.zone, how=typed["how"], language=None, by_mail=goes)
    except (Conflict, Invalid, TooMany) as error:
        return await _page(request, error, typed)
    sheet = None
    if made.link is not None and not goes:
        qr = segno.make(made.link, error="m", micro=False).svg_data_uri(scale=5, border=4, light="#ffffff")
        sheet = text_in(request, made.person.language, "desk/sheet.html", name=said.name, link=made.link, qr=qr)
    response = render(
        request, "desk/let_in_for.html", patient=patient, called=said.name, email=said.email, goes=goes, sheet=sheet
    )
    response.headers["cache-control"] = "no-store"
    return response


async def take_back(request: Request) -> Response:
    """POST: out, at once."""
    patient = request.path_params["id"]
    try:
        async with access.work(ctx_of(request), "let somebody in no longer, for a patient") as ctx:
            await access.require(ctx, *CARE)
            await consent.take_back(ctx, patient, request.path_params["person"])
    except NotFound as error:
        return await _page(request, error)
    return RedirectResponse(f"/patients/{patient}/caregivers?back", 303)


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/caregivers", page),
    Route("/patients/{id}/caregivers", let_in, methods=["POST"]),
    Route("/patients/{id}/caregivers/{person}/back", take_back, methods=["POST"]),
]
