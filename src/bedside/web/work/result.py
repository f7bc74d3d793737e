"""/results/{type}/{id}: a laboratory result or a report as it came, and the mark that somebody has seen it."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, orders, records
from bedside.fhir.concepts import words
from bedside.fhir.references import is_id
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.clinician.banner import banner_of
from bedside.web.clinician.resources import effective, moment
from bedside.web.clinician.results import results
from bedside.web.kit import render

TYPES = frozenset({"DiagnosticReport", "Observation"})
STATES = {
    "registered": N_("registered"),
    "partial": N_("partial: more will come"),
    "preliminary": N_("preliminary: it may still change"),
    "final": N_("final"),
    "amended": N_("amended after it was final"),
    "corrected": N_("corrected after it was final"),
    "appended": N_("added to after it was final"),
    "cancelled": N_("withdrawn: do not use it"),
    "entered-in-error": N_("withdrawn: do not use it"),
}
"""Source: hl7.org/fhir/R4/valueset-diagnostic-report-status.html and valueset-observation-status.html."""
MOST = 200


async def page(request: Request) -> Response:
    """GET."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, note: str = "") -> Response:
    ref = _ref(request)
    async with access.work(ctx_of(request), "looked at a result", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        type_, _, id_ = ref.partition("/")
        resource = await records.read(ctx, type_, id_)
        # What is out of its range first, and of that what cannot wait.
        values = sorted(
            await _values(ctx, resource), key=lambda one: (not one.flag.startswith("critically"), not one.flag)
        )
        patient = str((resource.get("subject") or {}).get("reference") or "").removeprefix("Patient/")
        banner = await banner_of(ctx, patient)
        stands = await orders.look(ctx, ref)
    issued = str(resource.get("issued") or effective(resource) or "")
    return render(
        request,
        "work/result.html",
        error.status if error else 200,
        patient=banner,
        ref=ref,
        title=words(resource.get("code")),
        state_word=STATES.get(str(resource.get("status")), ""),
        withdrawn=resource.get("status") in {"entered-in-error", "cancelled"},
        issued=issued,
        issued_at=moment(issued) if "T" in issued else None,
        by=", ".join(str(one["display"]) for one in resource.get("performer") or () if one.get("display")),
        values=values,
        conclusion=str(resource.get("conclusion") or ""),
        texts=_texts(resource),
        files=[
            str(one.get("title") or one.get("contentType") or "")
            for one in resource.get("presentedForm") or ()
            if not _text(one)
        ],
        stands=stands,
        version=resource["meta"]["versionId"],
        me=ctx_of(request).actor.id,
        acts="clinician" in ctx_of(request).actor.roles,
        error=error,
        note=note,
    )


async def _values(ctx: Ctx, resource: dict[str, Any]) -> list[Any]:
    """The values of a report that this record holds; an Observation's own."""
    if resource["resourceType"] == "Observation":
        return list(results([resource]))
    ids = [
        ref.partition("/")[2]
        for one in resource.get("result") or ()
        if (ref := str(one.get("reference") or "")).startswith("Observation/")
    ]
    if not ids:
        return []
    found = await records.search(ctx, "Observation", [("_id", ",".join(ids[:MOST])), ("_count", str(MOST))])
    return list(results(found.entries))


def _text(form: dict[str, Any]) -> str:
    """What an attachment says, where it is plain text that came along."""
    if not str(form.get("contentType") or "").startswith("text/plain") or not form.get("data"):
        return ""
    try:
        return base64.b64decode(str(form["data"]), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return ""


def _texts(resource: dict[str, Any]) -> list[str]:
    return [said for one in resource.get("presentedForm") or () if (said := _text(one))]


def _ref(request: Request) -> str:
    type_, id_ = request.path_params["type"], request.path_params["id"]
    if type_ not in TYPES or not is_id(id_):
        raise NotFound("There is no such result.")
    return f"{type_}/{id_}"


async def seen(request: Request) -> Response:
    """POST: I have seen this version of it."""
    ref, form = _ref(request), await request.form()
    note, version = str(form.get("note") or ""), str(form.get("version") or "")
    try:
        async with access.work(ctx_of(request), "marked a result as seen") as ctx:
            marked = await orders.see(ctx, ref, int(version) if version.isdecimal() else 0, note)
    except BedsideError as error:
        if error.status not in {400, 409}:
            raise
        return await _page(request, error, note)
    return RedirectResponse(f"/work?seen={marked.ref}#results", 303)


async def again(request: Request) -> Response:
    """POST: I have not seen it after all."""
    async with access.work(ctx_of(request), "took back that a result was seen") as ctx:
        await orders.unsee(ctx, _ref(request))
    return RedirectResponse("/work?again#results", 303)


ROUTES: list[BaseRoute] = [
    Route("/results/{type}/{id}", page),
    Route("/results/{type}/{id}/seen", seen, methods=["POST"]),
    Route("/results/{type}/{id}/again", again, methods=["POST"]),
]
