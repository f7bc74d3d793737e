"""/patients/{id}/known: allergies, problems and medicines taken, written down by whoever asked; a slip is struck out,
what is over is past. What a signature checks a prescription against stands here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, prescribing, records
from bedside.fhir import known
from bedside.fhir.allergies import denies
from bedside.fhir.allergies import stands as allergy_stands
from bedside.fhir.concepts import code, codes, in_error, words
from bedside.fhir.references import is_id
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.clinician.banner import banner_of
from bedside.web.clinician.summary import CURRENT_MEDICINE, CURRENT_PROBLEM
from bedside.web.kit import page_of, render, told, translator
from bedside.web.kit.places import N_

FIELDS = ("text", "detail", "category", "since")
LONGEST = 200
CATEGORIES = {
    "medication": N_("a medicine"),
    "food": N_("food"),
    "environment": N_("something around us: pollen, latex, animals"),
}
DONE = {
    "kept": N_("It is written down"),
    "none": N_("It is written down that there are none"),
    "error": N_("It is struck out: it was never so"),
    "over": N_("It is over, and stands with what is past"),
}
CHANGES: dict[str, Callable[[known.Kind, dict[str, Any]], dict[str, Any]]] = {
    "error": known.in_error,
    "over": known.over,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One that stands. denial: that somebody asked and there are none."""

    id: str
    says: str
    details: tuple[str, ...]
    since: str
    denial: bool = False


async def page(request: Request) -> Response:
    """GET."""
    return await _page(request)


async def _page(
    request: Request, error: BedsideError | None = None, of: str = "", typed: dict[str, str] | None = None
) -> Response:
    patient, language = request.path_params["id"], page_of(request).language
    async with access.work(ctx_of(request), "looked what is known of a patient", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        banner = await banner_of(ctx, patient)
        found = {kind: await _standing(ctx, kind, patient) for kind in known.TYPES}
    return render(
        request,
        "clinician/known.html",
        error.status if error else 200,
        patient=banner,
        found=found,
        keys={kind: uuid7() for kind in known.TYPES},
        typed={kind: dict.fromkeys(FIELDS, "") for kind in known.TYPES} | ({of: typed} if typed else {}),
        of=of,
        faults={error.where: told(error, language)} if error and error.where in FIELDS else {},
        error=error,
        categories=CATEGORIES,
        substances=sorted({translator(language)(one) for one in prescribing.substances()}),
        done=next((DONE[word] for word in DONE if word in request.query_params), None),
        today=page_of(request).now.astimezone(page_of(request).zone).date(),
    )


async def _standing(ctx: Ctx, kind: known.Kind, patient: str) -> list[Line]:
    found = await records.every(ctx, known.TYPES[kind], {"patient": patient})
    return [_line(kind, one) for one in found.entries if _stands(kind, one)]


def _stands(kind: known.Kind, resource: dict[str, Any]) -> bool:
    if kind == "allergy":
        return allergy_stands(resource)
    if kind == "problem":
        return not in_error(resource) and code(resource.get("clinicalStatus")) in {"", *CURRENT_PROBLEM}
    return resource.get("status") in CURRENT_MEDICINE


def _line(kind: known.Kind, one: dict[str, Any]) -> Line:
    concept = one.get("medicationCodeableConcept" if kind == "medicine" else "code")
    details = (
        *(words(shown) for part in one.get("reaction") or () for shown in part.get("manifestation") or ()),
        *(str(part["text"]) for name in ("dosage", "note") for part in one.get(name) or () if part.get("text")),
    )
    since = one.get("onsetDateTime") or (one.get("effectivePeriod") or {}).get("start") or ""
    return Line(
        one["id"],
        words(concept) or "–",
        tuple(filter(None, details)),
        str(since),
        bool(kind == "allergy" and denies(codes(concept))),
    )


def _kind(request: Request) -> known.Kind:
    for kind in known.TYPES:
        if kind == request.path_params["kind"]:
            return kind
    raise NotFound("There is no such page.")


async def write(request: Request) -> Response:
    """POST: one more, once; or that there are no allergies."""
    patient, kind, form = request.path_params["id"], _kind(request), await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split()) for name in FIELDS}
    none = kind == "allergy" and "none" in form
    try:
        key = str(form.get("key") or "")
        if not is_id(key):
            raise Invalid("This form is damaged.", remedy="Open the page again.")
        if not none:
            _check(kind, typed, page_of(request).now.astimezone(page_of(request).zone).date())
        async with access.work(ctx_of(request), "wrote down what is known of a patient") as ctx:
            await access.require(ctx, "clinician", "nurse")
            if kind != "problem":
                typed["text"] = prescribing.named(typed["text"], translator(page_of(request).language))
            await _write(ctx, kind, key, patient, {} if none else typed)
    except (Invalid, Conflict) as error:
        return await _page(request, error, kind, typed)
    return RedirectResponse(f"/patients/{patient}/known?{'none' if none else 'kept'}", 303)


def _check(kind: known.Kind, typed: dict[str, str], today: date) -> None:
    """Raises Invalid (where: of FIELDS)."""
    if not typed["text"]:
        raise Invalid(N_("This is missing."), where="text")
    for name in ("text", "detail"):
        if len(typed[name]) > LONGEST:
            raise Invalid(N_("This is longer than %(most)s characters."), where=name, most=LONGEST)
    if kind == "allergy" and typed["category"] not in CATEGORIES:
        raise Invalid(N_("Choose one."), where="category")
    if typed["since"]:
        if not re.fullmatch(r"\d{4}(-\d{2}){0,2}", typed["since"]):
            raise Invalid(N_("Write a year, a month as 2019-05, or a day as 2019-05-31."), where="since")
        try:
            began = date.fromisoformat((typed["since"] + "-01-01")[:10])
        except ValueError:
            raise Invalid(N_("Write a year, a month as 2019-05, or a day as 2019-05-31."), where="since") from None
        if began > today:
            raise Invalid(N_("This day is still to come."), where="since")


async def _write(ctx: Ctx, kind: known.Kind, key: str, patient: str, typed: dict[str, str]) -> None:
    standing = await _standing(ctx, kind, patient)
    if any(one.id == key for one in standing):
        return  # sent twice
    if kind == "allergy":
        denials = [one for one in standing if one.denial]
        if not typed and len(standing) > len(denials):
            raise Conflict(
                N_("An allergy is written down."), remedy=N_("Strike it out first, if it was never one."), where="none"
            )
        if not typed and denials:
            return
        for one in denials:  # somebody asked again
            await records.update(ctx, known.over(kind, await records.read(ctx, known.TYPES[kind], one.id)))
    said = {name: typed.get(name, "") for name in FIELDS}
    text = said.pop("text")
    await records.create(
        ctx, known.written(kind, key, patient, text, at=ctx.clock.now(), by=ctx.actor.reference, **said)
    )


async def change(request: Request) -> Response:
    """POST: it was never so, or it is over."""
    patient, kind, deed = request.path_params["id"], _kind(request), request.path_params["deed"]
    if deed not in CHANGES:
        raise NotFound("There is no such step.")
    async with access.work(ctx_of(request), "wrote down what is known of a patient") as ctx:
        await access.require(ctx, "clinician", "nurse")
        kept = await records.read(ctx, known.TYPES[kind], request.path_params["key"])
        whose = kept.get("patient" if kind == "allergy" else "subject") or {}
        if whose.get("reference") != f"Patient/{patient}":
            raise NotFound("There is no such page.")
        await records.update(ctx, CHANGES[deed](kind, kept), if_match=int(kept["meta"]["versionId"]))
    return RedirectResponse(f"/patients/{patient}/known?{deed}", 303)


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/known", page),
    Route("/patients/{id}/known/{kind}", write, methods=["POST"]),
    Route("/patients/{id}/known/{kind}/{key}/{deed}", change, methods=["POST"]),
]
