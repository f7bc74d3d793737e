"""The handbook's pages under /help. Whoever cannot get in needs them most, so they ask nobody to sign in: they hold
what stands in the public source, and nothing of any patient or of the clinic but its telephone."""

from __future__ import annotations

import re

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bedside.foundation.errors import N_, NotFound
from bedside.web.kit.assets import FOREVER
from bedside.web.kit.book import BOOK, Chapter, Part, book, find
from bedside.web.kit.page import Page, page_of, render

PARTS = {
    "patient": N_("For patients and who cares for them"),
    "nurse": N_("For nurses"),
    "clinician": N_("For clinicians and pharmacies"),
    "administrator": N_("For administrators"),
    "integrator": N_("For who connects other systems"),
}
FIRST = {"clinician": "clinician", "nurse": "nurse", "pharmacist": "clinician", "administrator": "administrator"}
"""A role's own part; the privacy officer's is with the administrator's."""
PICTURE = re.compile(r"[a-z0-9-]+\.[0-9a-f]{10}\.webp")


async def contents(request: Request) -> Response:
    """Whom to ring, and every chapter: the reader's own part first."""
    page = page_of(request)
    return render(request, "kit/pages/help.html", parts=_parts(page), titles=titles(page.language), words=PARTS)


async def chapter(request: Request) -> Response:
    """One chapter, in the reader's language where it is written in it."""
    part, key = request.path_params["part"], request.path_params["chapter"]
    page = page_of(request)
    found = book().chapter(f"{part}/{key}", page.language)
    if found is None:
        raise NotFound(N_("The handbook has no such chapter."), remedy=N_("Look at its contents: Help."))
    read, language = found
    return render(
        request,
        "kit/pages/chapter.html",
        part=part,
        key=key,
        chapter=read,
        language=language,
        # Built from our own sources, in which HTML is off.
        text=Markup(read.html),  # noqa: S704
        siblings=[(one, *titles(page.language)[f"{part}/{one}"]) for one in _part(part).chapters],
        words=PARTS,
    )


async def search(request: Request) -> Response:
    """Sections that say the words of ?q=."""
    asked = request.query_params.get("q", "").strip()[:100]
    found = find(asked, page_of(request).language)
    return render(request, "kit/pages/find_help.html", asked=asked, found=found, words=PARTS)


async def picture(request: Request) -> Response:
    """A picture of a chapter."""
    name = request.path_params["name"]
    path = BOOK / "pictures" / name
    if not PICTURE.fullmatch(name) or not path.is_file():
        raise NotFound(N_("The handbook has no such picture."))
    return FileResponse(path, headers={"cache-control": FOREVER}, media_type="image/webp")


def _part(key: str) -> Part:
    return next(part for part in book().parts if part.key == key)


def _parts(page: Page) -> list[Part]:
    mine = {FIRST[role] for role in page.actor.roles if role in FIRST}
    return sorted(book().parts, key=lambda part: part.key not in mine)


def titles(language: str) -> dict[str, tuple[str, str, Chapter]]:
    """Each chapter's title, the language that it is in, and the chapter."""
    found = {}
    for place in book().chapters:
        read, spoken = book().chapter(place, language) or (None, "")
        if read is not None:
            found[place] = (read.title, spoken, read)
    return found


ROUTES = [
    Route("/help", contents),
    Route("/help/find", search),
    Route("/help/pictures/{name}", picture),
    Route("/help/{part}/{chapter}", chapter),
]
