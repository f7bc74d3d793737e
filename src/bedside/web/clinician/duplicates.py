"""Patients who may be one person: listed, compared side by side, joined with a reason, and taken apart again."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.kit import render

HERE = "/patients/duplicates"
DETAILS = {
    "family": N_("Family name"),
    "given": N_("Given name"),
    "birth": N_("Birth date"),
    "gender": N_("Sex"),
    "identifier": N_("Numbers"),
    "telecom": N_("Telephone and e-mail"),
    "address": N_("Address"),
}
HOW = {"same": N_("same"), "near": N_("alike"), "other": N_("different")}
GRADES = {
    "certain": N_("nearly certain"),
    "probable": N_("likely"),
    "possible": N_("possible"),
    "certainly-not": N_("unlikely"),
}
HELD = {
    "Encounter": N_("Visits and stays"),
    "Condition": N_("Problems"),
    "MedicationRequest": N_("Medicines"),
    "Observation": N_("Readings and results"),
}
"""What is counted, so that the record with more in it can be the one that goes on."""


async def listing(request: Request) -> Response:
    """GET: the pairs, the likeliest first, and the records that are joined."""
    async with access.work(ctx_of(request), "looked for patients registered twice", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        pairs = await records.likely_duplicates(ctx)
        merged = [(one, await _who(ctx, one.by)) for one in await records.merges(ctx)]
    return render(
        request,
        "clinician/duplicates.html",
        pairs=pairs,
        merged=merged,
        details=DETAILS,
        how=HOW,
        grades=GRADES,
        here=HERE,
        done=next(iter({"joined", "apart"} & set(request.query_params)), None),
    )


async def _who(ctx: Ctx, reference: str) -> str:
    """The name of who joined two records; the reference where it cannot be read."""
    type_, _, id_ = reference.partition("/")
    try:
        return name_of(await records.read(ctx, type_, id_)) or reference
    except BedsideError:
        return reference


async def page(request: Request) -> Response:
    """GET: two records side by side."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    ids = [request.path_params[name] for name in ("one", "other")]
    async with access.work(ctx_of(request), "compared two patients", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        found = await records.compare(ctx, *ids)
        counts = {
            type_: [(await records.search(ctx, type_, {"patient": id_, "_summary": "count"})).total or 0 for id_ in ids]
            for type_ in HELD
        }
    both = [found.one, found.other]
    return render(
        request,
        "clinician/duplicate.html",
        error.status if error else 200,
        ids=ids,
        names=[name_of(one) for one in both],
        rows=[(key, [values(one, key) for one in both], found.likeness.found.get(key)) for key in DETAILS],
        counts=counts,
        held=HELD,
        grade=found.likeness.grade,
        merged=found.merged,
        details=DETAILS,
        how=HOW,
        grades=GRADES,
        here=HERE,
        typed=typed
        or {"target": max(ids, key=lambda id_: sum(n[ids.index(id_)] for n in counts.values())), "reason": ""},
        error=error,
    )


def values(patient: dict[str, Any], detail: str) -> list[str]:
    """What a patient's record says of a detail, each value by itself."""
    names = patient.get("name") or ()
    match detail:
        case "family":
            found = [one.get("family") for one in names]
        case "given":
            found = [" ".join(filter(None, one.get("given") or ())) for one in names]
        case "birth":
            found = [patient.get("birthDate")]
        case "gender":
            found = [patient.get("gender")]
        case "identifier":
            found = [one.get("value") for one in patient.get("identifier") or ()]
        case "telecom":
            found = [one.get("value") for one in patient.get("telecom") or ()]
        case _:
            found = [_place(one) for one in patient.get("address") or ()]
    return list(dict.fromkeys(str(one) for one in found if one))


def _place(address: dict[str, Any]) -> str:
    parts = [*(address.get("line") or ()), *(address.get(name) for name in ("postalCode", "city", "state"))]
    return str(address.get("text") or ", ".join(filter(None, parts)))


async def join(request: Request) -> Response:
    """POST: both are one person; the record that goes on, and why it is sure."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in ("target", "reason")}
    ids = [request.path_params[name] for name in ("one", "other")]
    try:
        if typed["target"] not in ids:
            raise Invalid(N_("Choose the record that goes on."), where="target")
        if not typed["reason"]:
            raise Invalid(N_("Say how you know that they are one person."), where="reason")
        (source,) = [one for one in ids if one != typed["target"]]
        ctx = ctx_of(request).with_(reason=typed["reason"][:500])
        async with access.work(ctx, "merged two patients") as inner:
            await access.require(inner, "clinician", "nurse")
            await records.merge(inner, source, typed["target"], reason=typed["reason"][:500])
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"{HERE}?joined", 303)


async def apart(request: Request) -> Response:
    """POST: take a joining back, exactly; twice is once."""
    async with access.work(ctx_of(request), "took a merge of patients back") as ctx:
        await access.require(ctx, "clinician", "nurse")
        held = {one.source.id for one in await records.merges(ctx)}
        if request.path_params["source"] not in held:
            raise NotFound(N_("These records are not joined any more."))
        await records.unmerge(ctx, request.path_params["source"])
    return RedirectResponse(f"{HERE}?apart", 303)


ROUTES: list[BaseRoute] = [
    Route(HERE, listing),
    Route(f"{HERE}/{{source}}/apart", apart, methods=["POST"]),
    Route(f"{HERE}/{{one}}/{{other}}", page),
    Route(f"{HERE}/{{one}}/{{other}}", join, methods=["POST"]),
]
