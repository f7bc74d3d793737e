"""/patients/{id}/details: who a patient is and how they are reached, corrected by whoever cares for them.

The record alone says who somebody is. How they sign in and are told is their account's; it is changed along only where
that is said, and the old address is told.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Forbidden, Invalid, PreconditionFailed
from bedside.foundation.http import ctx_of
from bedside.web.clinician.resources import number_of
from bedside.web.desk import form as desk
from bedside.web.desk.register import choices_of
from bedside.web.kit import page_of, render, told
from bedside.web.kit.places import N_

CARE = ("clinician", "nurse")
NUMBERS = ("number", "national")
REACH = ("phone", "email")


async def page(request: Request) -> Response:
    """GET."""
    return await _page(request)


async def _page(
    request: Request,
    faults: Mapping[str, BedsideError] | None = None,
    typed: dict[str, str] | None = None,
    error: BedsideError | None = None,
) -> Response:
    patient, reader = request.path_params["id"], page_of(request)
    async with access.work(ctx_of(request), "looked at a patient's details", readonly=True) as ctx:
        await access.require(ctx, *CARE)
        record = await records.read(ctx, "Patient", patient)
        account = await access.person_of_patient(ctx, patient)
    faults = faults or {}
    status = next((one.status for one in faults.values()), 200)
    return render(
        request,
        "desk/details.html",
        error.status if error else status,
        patient=patient,
        name=name_of(record),
        typed=typed or desk.typed_of(record) | {"version": str(record["meta"]["versionId"]), "account": ""},
        account=account,
        other=number_of(record),
        faults={field: told(one, reader.language) for field, one in faults.items()},
        error=error,
        genders=desk.GENDERS,
        today=reader.now.astimezone(reader.zone).date(),
        done="changed" in request.query_params,
        **choices_of(reader.language),
    )


async def correct(request: Request) -> Response:
    """POST: the next version of the record; what is wrong is said beside its field."""
    patient, form, reader = request.path_params["id"], await request.form(), page_of(request)
    typed = desk.read(form) | {name: str(form.get(name) or "") for name in ("version", "account")}
    faults: dict[str, BedsideError] = dict(desk.faults(typed, reader.now.astimezone(reader.zone).date()))
    if faults:
        return await _page(request, faults, typed)
    try:
        async with access.work(ctx_of(request), "corrected who a patient is and how they are reached") as ctx:
            await access.require(ctx, *CARE)
            await _correct(ctx, patient, typed)
    except PreconditionFailed:
        again = Conflict(
            N_("Somebody else has changed this record meanwhile."), remedy=N_("Open the page again, and look first.")
        )
        return await _page(request, typed=typed, error=again)
    except (Conflict, Invalid) as refused:
        if refused.where in desk.FIELDS:
            return await _page(request, {str(refused.where): refused}, typed)
        return await _page(request, typed=typed, error=refused)
    return RedirectResponse(f"/patients/{patient}/details?changed", 303)


async def _correct(ctx: Ctx, patient: str, typed: dict[str, str]) -> None:
    record = await records.read(ctx, "Patient", patient)
    before = desk.typed_of(record)
    if any(typed[name] and typed[name] != before[name] for name in NUMBERS):
        # Two people never share a number, wherever in the clinic the other one is.
        numbers = dict.fromkeys(desk.FIELDS, "") | {name: typed[name] for name in (*NUMBERS, "country")}
        if any(one.numbered for one in await records.likely(ctx, desk.patient(numbers), but=patient)):
            raise Conflict("Somebody has this number already.", where="number")
    version = int(typed["version"]) if typed["version"].isdecimal() else 0
    made = desk.corrected(record, typed)
    if made != {name: value for name, value in record.items() if name != "meta"}:
        await records.update(ctx, made, if_match=version)
    account = await access.person_of_patient(ctx, patient)
    if account is None:
        return
    if typed["account"] == "1" and ctx.trail.emergency:
        raise Forbidden(
            N_("Emergency access opens the record, and changes nobody's sign-in."),
            remedy=N_("Ask whoever takes care of them."),
        )
    if typed["account"] == "1" and any(typed[name] != before[name] for name in REACH):
        await messaging.correct(ctx, account.id, typed["email"], typed["phone"])
    if desk.name(typed) != desk.name(before):
        await access.change_person(ctx, account.id, name=desk.name(typed))


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/details", page),
    Route("/patients/{id}/details", correct, methods=["POST"]),
]
