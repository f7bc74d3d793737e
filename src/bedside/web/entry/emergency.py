"""Emergency access: a reason and a step-up open one record for some hours, and the privacy officer is told."""

from __future__ import annotations

from datetime import date

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, records
from bedside.foundation.errors import BedsideError, Forbidden, Invalid, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.entry.proof import proof_of
from bedside.web.kit import render


async def find(request: Request) -> Response:
    """GET: look for somebody who is nobody of one's own. POST: who it may be, and nothing else of them."""
    ctx = ctx_of(request)
    await access.require(ctx, "clinician", "nurse")
    if request.method == "GET":
        return _found(request, {})
    # By POST, so that no name stands in an address or a log.
    form = {name: str(value).strip()[:200] for name, value in (await request.form()).items()}
    try:
        born = _day(form.get("born", ""))
        await access.limits.spend(ctx, "directory", ctx.actor.id)
        async with access.work(ctx.with_(purpose="ETREAT"), "looked for a patient in an emergency") as inner:
            rows = await records.look_up(inner, name=form.get("name", ""), born=born, number=form.get("number", ""))
    except (Invalid, TooMany) as error:
        return _found(request, form, error)
    return _found(request, form, rows=rows)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise Invalid("Write the birth date as 1951-03-02.", where="born") from None


def _found(
    request: Request,
    form: dict[str, str],
    error: BedsideError | None = None,
    rows: list[records.PatientRow] | None = None,
) -> Response:
    typed = {"name": "", "born": "", "number": ""} | form
    status = error.status if error else 200
    return render(request, "entry/emergency_find.html", status, error=error, typed=typed, rows=rows)


async def page(request: Request) -> Response:
    """What it means, and the form."""
    await access.require(ctx_of(request), "clinician", "nurse")
    return _page(request)


def _page(request: Request, error: BedsideError | None = None, reason: str = "") -> Response:
    return render(request, "entry/emergency.html", error.status if error else 200, error=error, reason=reason)


async def open_record(request: Request) -> Response:
    """Open it, and go to the chart."""
    form = await request.form()
    patient, reason = request.path_params["patient"], str(form.get("reason") or "")
    ctx = ctx_of(request).with_(purpose="ETREAT", reason=reason.strip()[:500] or None)
    await access.require(ctx, "clinician", "nurse")
    try:
        async with access.work(ctx, "asked for the record in an emergency") as inner:
            await access.break_glass(inner, patient, reason, proof_of(form))
    except (Forbidden, Invalid, TooMany) as error:
        return _page(request, error, reason)
    return RedirectResponse(f"/patients/{patient}", 303)
