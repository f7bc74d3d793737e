"""How pages are shown to a person: language, units, light or dark. On a patient's Me page, on anybody's account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.http import ctx_of
from bedside.web.kit import prefer
from bedside.web.kit.languages import LANGUAGES
from bedside.web.kit.page import THEMES

PEOPLE = ("patient", "caregiver", "clinician", "nurse", "pharmacist", "administrator", "privacy-officer")
"""All but a display: a wall hangs in the language of its ward."""


async def save(request: Request) -> Response:
    """Language and units stay with the person; light or dark with this browser. Back to the page of the form."""
    form = {k: str(v) for k, v in (await request.form()).items()}
    changes = {}
    if form.get("language") in LANGUAGES:
        changes["language"] = form["language"]
    if form.get("units") in {"metric", "us"}:
        changes["units"] = form["units"]
    async with access.work(ctx_of(request), "changed how pages are shown") as ctx:
        await access.require(ctx, *PEOPLE)
        await access.change_person(ctx, ctx.actor.id, **changes)
    response = RedirectResponse(f"{request.url.path}?saved=1", 303)
    if form.get("theme") in THEMES:
        prefer(response, theme=form["theme"])
    else:
        response.delete_cookie("theme", path="/")
    if "language" in changes:
        prefer(response, language=changes["language"])
    return response
