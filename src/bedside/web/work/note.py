"""/notes/{id}: a note outside visits, written on, signed, or thrown away, by whoever began it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, visits
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import ctx_of
from bedside.web.clinician.banner import banner_of
from bedside.web.entry import proof_of
from bedside.web.kit import render


async def page(request: Request) -> Response:
    """GET."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, text: str | None = None) -> Response:
    key = request.path_params["note"]
    async with access.work(ctx_of(request), "opened a draft note", readonly=True) as ctx:
        await access.require(ctx, *visits.drafts.WRITERS)
        draft = await visits.drafts.read(ctx, key)
        banner = await banner_of(ctx, draft.patient)
        talk = await messaging.threads.from_ref(ctx, f"DocumentReference/{key}")
    return render(
        request,
        "work/note.html",
        error.status if error else 200,
        patient=banner,
        draft=draft,
        mine=draft.author == ctx_of(request).actor.reference,
        text=draft.text if text is None else text,
        longest=visits.drafts.LONGEST,
        talk=talk,
        error=error,
        saved="saved" in request.query_params,
    )


async def write(request: Request) -> Response:
    """POST: save, or sign: what was typed is kept before anybody is asked who they are."""
    key, form = request.path_params["note"], await request.form()
    text, version = str(form.get("text") or ""), str(form.get("version") or "")
    try:
        async with access.work(ctx_of(request), "wrote a draft note") as ctx:
            kept = await visits.drafts.save(ctx, key, text, int(version) if version.isdecimal() else 0)
        if form.get("do") != "sign":
            return RedirectResponse(f"/notes/{key}?saved", 303)
        async with access.work(ctx_of(request), "signed a note") as ctx:
            await visits.drafts.sign(ctx, key, text, kept.version, proof_of(form))
    except BedsideError as error:
        if error.status not in {400, 403, 409} or error.where == "passkey":
            raise
        return await _page(request, error, text if error.status == 409 else None)
    return RedirectResponse("/work?signed#notes", 303)


async def throw_away(request: Request) -> Response:
    """POST: it was written by mistake; taken back by one press."""
    key = request.path_params["note"]
    async with access.work(ctx_of(request), "threw a draft note away") as ctx:
        await visits.drafts.throw_away(ctx, key)
    return RedirectResponse(f"/work?thrown={key}#notes", 303)


async def again(request: Request) -> Response:
    """POST: it was none."""
    key = request.path_params["note"]
    async with access.work(ctx_of(request), "took a draft note back") as ctx:
        await visits.drafts.take_back(ctx, key)
    return RedirectResponse("/work?again#notes", 303)


ROUTES: list[BaseRoute] = [
    Route("/notes/{note}", page),
    Route("/notes/{note}", write, methods=["POST"]),
    Route("/notes/{note}/throw-away", throw_away, methods=["POST"]),
    Route("/notes/{note}/again", again, methods=["POST"]),
]
