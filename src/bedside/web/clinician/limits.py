"""Which limits judge a patient, each with its source; programmes; their own above both; the SpO2 scale of NEWS2."""

from __future__ import annotations

from datetime import date
from math import isfinite
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.clinician import words
from bedside.web.kit import page_of, render
from bedside.web.kit.amounts import SAME
from bedside.web.kit.places import N_
from bedside.web.kit.written import translator
from bedside.web.wall.words import (
    CAUSES,
    INCOMPLETE,
    KINDS,
    LIMITED,
    PRIORITIES,
    PROGRAMMES,
    SIDES,
    STANDS,
    WITHOUT,
)

NOTHING = {
    "rule": "",
    "kind": "limit",
    "metric": "systolic",
    "comparison": ">=",
    "limit": "",
    "least": "",
    "of": "",
    "hours": "",
    "spread": "",
    "delay": "",
    "priority": "medium",
    "reason": "",
    "off": "",
}


async def page(request: Request) -> Response:
    """GET /patients/{id}/limits."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    patient = request.path_params["id"]
    async with access.work(ctx_of(request), "looked at a patient's limits", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        name = name_of(await records.read(ctx, "Patient", patient))
        plan = await monitoring.limits(ctx, patient)
        own = await monitoring.own_limits(ctx, patient)
        standing = await monitoring.standing(ctx, patient)
    translate = translator(page_of(request).language)
    return render(
        request,
        "clinician/limits.html",
        error.status if error else 200,
        patient=patient,
        name=name,
        plan=plan,
        own=own,
        standing=standing,
        rules=replaceable(plan),
        delays={row.id: seconds for row in plan.rows if (seconds := delay_of(row, page_of(request).now.date()))},
        programmes={key: PROGRAMMES[key] for key in monitoring.programmes()},
        kinds=KINDS,
        incomplete=INCOMPLETE,
        stands=STANDS,
        typed=typed or NOTHING,
        error=error,
        limited=LIMITED,
        same=SAME,
        named={key: f"{translate(words.metric(key))} ({SAME[ucum].word})" for key, ucum in LIMITED.items()},
        sides=SIDES,
        priorities=PRIORITIES,
        metric=words.metric,
        causes=CAUSES,
        without=WITHOUT,
        done="done" in request.query_params,
    )


def replaceable(plan: monitoring.Plan) -> list[str]:
    """The rules of the tables in whose place one of this patient's own may stand."""
    return [row.id for row in plan.rows if not row.own and (row.kind != "limit" or row.programme)]


def delay_of(row: monitoring.LimitRow, on: date) -> int:
    """Seconds for which a row must stand broken: a patient's own always, a default on a monitor."""
    asked = row.delay if row.own else monitoring.default_delay("monitor", row.metric, row.priority, on)
    return int(asked.total_seconds()) if row.kind == "limit" else 0


async def keep(request: Request) -> Response:
    """Set one of a patient's own limits, or switch a default off, with the reason."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in NOTHING}
    try:
        async with access.work(ctx_of(request), "set a patient's own limit") as ctx:
            await _allowed(ctx)
            limit = taken(typed, await monitoring.limits(ctx, request.path_params["id"]))
            await monitoring.set_limits(ctx, request.path_params["id"], [limit])
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"/patients/{request.path_params['id']}/limits?done=1", 303)


def taken(typed: dict[str, str], plan: monitoring.Plan) -> monitoring.PatientLimit:
    """The form as monitoring takes it: a limit, a rule that looks back, or one in place of one in force. Raises Invalid
    naming the field."""
    if not typed["reason"]:
        raise Invalid(N_("Say why this patient has a limit of their own."), where="reason")
    off = typed["off"] == "yes"
    if typed["rule"]:
        row = next((one for one in plan.rows if one.id == typed["rule"] and not one.own), None)
        if row is None:
            raise Invalid(N_("That rule is not in force for this patient."), where="rule")
        return monitoring.PatientLimit(
            row.metric,
            row.comparison,
            None if off else _number(typed, "limit"),
            typed["priority"],  # type: ignore[arg-type]
            typed["reason"],
            row.id,
            row.kind,
            delay_seconds=_delay(typed),
            **_looking_back(typed),
        )
    kind = typed["kind"] or "limit"
    if kind in {"change", "baseline"} and typed["metric"] in LIMITED:
        value = None if off else _number(typed, "limit")
    else:
        value = _value(typed, off=off)
    more = {} if kind == "limit" else _looking_back(typed)
    return monitoring.PatientLimit(
        typed["metric"],
        typed["comparison"],
        value,
        typed["priority"],  # type: ignore[arg-type]
        typed["reason"],
        kind=kind,  # type: ignore[arg-type]
        delay_seconds=_delay(typed),
        **more,
    )


def _looking_back(typed: dict[str, str]) -> dict[str, Any]:
    """Over how long, how many; what was left empty stays as the tables have it."""
    told: dict[str, Any] = {}
    for name in ("least", "of"):
        if typed[name]:
            if not (typed[name].isascii() and typed[name].isdigit() and len(typed[name]) < 4):
                raise Invalid(N_("Only a whole number, please."), where=name)
            told[name] = int(typed[name])
    for name in ("hours", "spread"):
        if typed[name]:
            told[name] = _number(typed, name)
    return told


def _delay(typed: dict[str, str]) -> int:
    """Seconds; what they may be is monitoring's to say."""
    if not typed["delay"]:
        return 0
    if not (typed["delay"].isascii() and typed["delay"].isdigit() and len(typed["delay"]) < 5):
        raise Invalid(N_("Only a whole number, please."), where="delay")
    return int(typed["delay"])


def _number(typed: dict[str, str], name: str) -> float:
    try:
        value = float(typed[name].replace(",", "."))
    except ValueError:
        raise Invalid(N_("Only a number, please."), where=name) from None
    if not isfinite(value):
        raise Invalid(N_("Only a number, please."), where=name)
    return value


def _value(typed: dict[str, str], *, off: bool) -> float | None:
    if typed["metric"] not in LIMITED:
        raise Invalid(N_("Choose what the limit is for."), where="metric")
    if off:
        return None
    value = _number(typed, "limit")
    if not monitoring.possible(typed["metric"], value):
        raise Invalid(N_("No value can lie there: check the number and its unit."), where="limit")
    return value


async def drop(request: Request) -> Response:
    """Take one of a patient's own limits away: the default of its place holds again."""
    form = await request.form()
    typed = {name: str(form.get(name) or "") for name in ("metric", "comparison", "priority", "rule", "kind")}
    async with access.work(ctx_of(request), "took a patient's own limit away") as ctx:
        await _allowed(ctx)
        limit = monitoring.PatientLimit(
            typed["metric"],
            typed["comparison"],
            None,
            typed["priority"],  # type: ignore[arg-type]
            rule=typed["rule"],
            kind=typed["kind"] or "limit",  # type: ignore[arg-type]
        )
        await monitoring.drop_limit(ctx, request.path_params["id"], limit)
    return RedirectResponse(f"/patients/{request.path_params['id']}/limits?done=1", 303)


async def scale(request: Request) -> Response:
    """The SpO2 scale of NEWS2: 2 for a target of 88-92 %, set by a clinician, with the reason."""
    form = await request.form()
    wanted = 2 if form.get("scale") == "2" else 1
    try:
        async with access.work(ctx_of(request), "set a patient's SpO2 scale") as ctx:
            await access.require(ctx, "clinician")
            reason = str(form.get("why") or "")
            await monitoring.set_profile(ctx, request.path_params["id"], news2_scale=wanted, reason=reason)
    except Invalid as error:
        return await _page(request, Invalid(error.message, where="why", remedy=error.remedy))
    return RedirectResponse(f"/patients/{request.path_params['id']}/limits?done=1", 303)


async def enrol(request: Request) -> Response:
    """The programmes that the patient is in: their rules hold from the next reading on."""
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "set a patient's programmes") as ctx:
            await _allowed(ctx)
            reason = str(form.get("reason") or "")
            chosen = [str(one) for one in form.getlist("programme")]
            await monitoring.set_profile(ctx, request.path_params["id"], programmes=chosen, reason=reason)
    except Invalid as error:
        where = "enrol" if error.where == "reason" else error.where
        return await _page(request, Invalid(error.message, where=where, remedy=error.remedy))
    return RedirectResponse(f"/patients/{request.path_params['id']}/limits?done=1", 303)


async def _allowed(ctx: Ctx) -> None:
    """Limits are a clinician's decision: a nurse reads them."""
    await access.require(ctx, "clinician")


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/limits", page, methods=["GET"]),
    Route("/patients/{id}/limits", keep, methods=["POST"]),
    Route("/patients/{id}/limits/drop", drop, methods=["POST"]),
    Route("/patients/{id}/limits/programmes", enrol, methods=["POST"]),
    Route("/patients/{id}/limits/scale", scale, methods=["POST"]),
]
