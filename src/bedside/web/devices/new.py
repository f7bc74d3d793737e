"""/devices/new: a device gets its name and password, shown once as a card that is printed in the patient's language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
import segno
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.devices.moments import begun
from bedside.web.devices.words import ADDABLE, KINDS, door
from bedside.web.kit import page_of, render, told
from bedside.web.kit.languages import LANGUAGES
from bedside.web.kit.page import text_in
from bedside.web.kit.places import N_

HERE = "/devices/new"
FIELDS = ("label", "kind", "patient", "since", "cuffless", "language")
LONGEST = 60


async def page(request: Request) -> Response:
    """GET: the form; ?patient= is chosen already."""
    asked = {"patient": request.query_params.get("patient", "")[:64], "language": page_of(request).clinic.language}
    return await _page(request, dict.fromkeys(FIELDS, "") | asked)


async def _page(request: Request, typed: dict[str, str], error: BedsideError | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the adding of a device", readonly=True) as ctx:
        await access.require(ctx, "nurse", "clinician", "administrator")
        patients = await records.in_care(ctx)
    return render(
        request,
        "devices/new.html",
        error.status if error else 200,
        typed=typed,
        faults={error.where: told(error, page_of(request).language)} if error and error.where in FIELDS else {},
        error=error,
        kinds=ADDABLE,
        patients=patients,
        languages=LANGUAGES,
        now=page_of(request).now.astimezone(page_of(request).zone),
        caring=bool(page_of(request).actor.roles & access.registering.CARING),
    )


async def add(request: Request) -> Response:
    """POST: it works at once; the card with its password is the answer, and is never shown again."""
    form = await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split()) for name in FIELDS}
    try:
        new = _new(typed, request)
        async with access.work(ctx_of(request), "added a device") as ctx:
            await access.require(ctx, "nurse", "clinician", "administrator")
            made = await monitoring.add_device(ctx, new)
            holder = await _holder(ctx, new.patient)
    except Invalid as error:
        return await _page(request, typed, error)
    return card(request, made, new.kind, typed["label"], holder, typed["language"])


def _new(typed: Mapping[str, str], request: Request) -> monitoring.NewDevice:
    if len(typed["label"]) > LONGEST:
        raise Invalid(N_("This is longer than %(most)s characters."), where="label", most=LONGEST)
    if typed["kind"] not in ADDABLE:
        raise Invalid(N_("Choose what it measures."), where="kind")
    # A device that comes new out of its box has never been in other hands: what it remembers is its first holder's.
    return monitoring.NewDevice(
        kind=typed["kind"],
        patient=typed["patient"] or None,
        label=typed["label"],
        since=begun(typed["since"], page_of(request).zone, page_of(request).now) if typed["patient"] else None,
        method="cuffless" if typed["cuffless"] and typed["kind"] == "blood-pressure" else None,
    )


async def _holder(ctx: Ctx, patient: str | None) -> dict[str, str]:
    """Name and language of who holds it; empty for nobody."""
    if patient is None:
        return {}
    record = await records.read(ctx, "Patient", patient)
    return {"id": patient, "name": name_of(record), "language": await spoken(ctx, patient, record)}


async def spoken(ctx: Ctx, patient: str, record: dict[str, Any]) -> str:
    """The language of ours that a patient reads: of their account, else of their record; empty for another."""
    account = await access.person_of_patient(ctx, patient)
    if account is not None:
        return account.language
    codes = [
        str(coding.get("code", ""))[:2]
        for one in record.get("communication") or ()
        for coding in (one.get("language") or {}).get("coding") or ()
    ]
    return next((code for code in codes if code in LANGUAGES), "")


def card(
    request: Request,
    made: monitoring.DeviceCredentials,
    kind: str,
    label: str,
    holder: Mapping[str, str],
    language: str,
    *,
    renewed: bool = False,
) -> Response:
    """The card, once: for whoever connects the device, and in the words of whoever holds it."""
    reached = door(request)
    said = {
        "host": reached.host,
        "port": reached.port,
        "tls": reached.tls,
        "username": made.username,
        "password": made.password,
        "topic": made.topic,
        "acks": made.ack_topic,
    }
    qr = segno.make(orjson.dumps(said).decode(), error="m", micro=False).svg_data_uri(
        scale=4, border=4, light="#ffffff"
    )
    sheet = text_in(
        request,
        holder.get("language") or language,
        "devices/card.html",
        made=made,
        door=reached,
        kind=KINDS[kind],
        label=label,
        holder=holder.get("name", ""),
        qr=qr,
        monitor=kind == "monitor",
    )
    response = render(
        request, "devices/carded.html", made=made, sheet=sheet, holder=holder, renewed=renewed, label=label
    )
    response.headers["cache-control"] = "no-store"
    return response


ROUTES: list[BaseRoute] = [Route(HERE, page), Route(HERE, add, methods=["POST"])]
