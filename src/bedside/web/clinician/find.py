"""Finding a patient: by name (accents and case do not matter), birth date or number. A page, and a fragment of it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.foundation.http import ctx_of
from bedside.web.kit import render

SHORTEST = 2
"""Characters before anything is looked for: one letter would list the ward."""
MOST = 20


async def page(request: Request) -> Response:
    """The search as a page: works without scripts, and lists more than the fragment."""
    return await _answer(request, "clinician/find.html", 50)


async def fragment(request: Request) -> Response:
    """The first matches, for the field at the top of every page."""
    return await _answer(request, "clinician/found.html", 8)


async def _answer(request: Request, template: str, most: int) -> Response:
    text = request.query_params.get("q", "").strip()
    rows: list[records.PatientRow] = []
    if len(text) >= SHORTEST:
        async with access.work(ctx_of(request), "searched for a patient", readonly=True) as ctx:
            await access.require(ctx, "clinician", "nurse")
            rows = await records.find_patients(ctx, text, limit=most)
    return render(request, template, text=text, rows=rows, short=0 < len(text) < SHORTEST, most=most)


ROUTES: list[BaseRoute] = [Route("/patients", page), Route("/patients/found", fragment)]
