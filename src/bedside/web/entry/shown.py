"""How pages are shown to a person: language, units, time zone, light or dark. On a patient's Me page, on anybody's
account."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.http import ctx_of
from bedside.web.kit import prefer
from bedside.web.kit.languages import LANGUAGES
from bedside.web.kit.page import THEMES

PEOPLE = ("patient", "caregiver", "clinician", "nurse", "pharmacist", "administrator", "privacy-officer")
"""All but a display: a wall hangs in the language of its ward."""


@cache
def zones() -> list[str]:
    """Every time zone by its name, as Europe/Madrid."""
    return sorted(one for one in available_timezones() if "/" in one and not one.startswith(("Etc/", "SystemV/")))


async def save(request: Request) -> Response:
    """Language, units and zone stay with the person; light or dark with this browser. Back to the page of the form."""
    form = {k: str(v) for k, v in (await request.form()).items()}
    changes = {}
    if form.get("language") in LANGUAGES:
        changes["language"] = form["language"]
    if form.get("units") in {"metric", "us"}:
        changes["units"] = form["units"]
    zone = form.get("zone", "").strip()
    if zone and zone not in available_timezones():
        return RedirectResponse(f"{request.url.path}?zone=unknown#shown", 303)
    if zone:
        changes["zone"] = zone
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
