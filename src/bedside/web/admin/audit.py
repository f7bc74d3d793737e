"""The privacy officer reads the audit: everybody, every look, the refused and the emergencies first in sight."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bedside import access
from bedside.foundation.http import ctx_of
from bedside.web.kit import render

LINES = 100


async def page(request: Request) -> Response:
    """GET /admin/audit?patient=…&before=…"""
    ctx = ctx_of(request)
    await access.require(ctx, "privacy-officer")
    patient = request.query_params.get("patient", "").strip() or None
    before = request.query_params.get("before", "")
    known = before if before.isdecimal() and len(before) < 19 else None
    async with access.work(ctx, "read the audit", readonly=True) as inner:
        lines = (
            await access.who_looked(inner, patient, before=known, limit=LINES)
            if patient
            else await access.audit_lines(inner, before=known, limit=LINES)
        )
    return render(
        request,
        "admin/audit.html",
        lines=lines,
        patient=patient,
        before=lines[-1].id if len(lines) == LINES else None,
    )
