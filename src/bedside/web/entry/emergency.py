"""Emergency access: a reason and a step-up open one record for some hours, and the privacy officer is told."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Forbidden, Invalid, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.entry.proof import proof_of
from bedside.web.kit import render


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
