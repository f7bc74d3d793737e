"""/admin/emergencies: emergency accesses that nobody has reviewed, the oldest first, and what reviewers found."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access
from bedside.foundation.errors import N_, BedsideError
from bedside.foundation.http import ctx_of
from bedside.web.kit import render

LINES = 25
OUTCOMES = {"justified": N_("it was needed"), "not-justified": N_("it was not needed")}


async def page(request: Request) -> Response:
    """GET ?after=…"""
    return await _page(request)


async def _page(
    request: Request, error: BedsideError | None = None, about: str = "", typed: dict[str, str] | None = None
) -> Response:
    after = request.query_params.get("after", "")
    async with access.work(ctx_of(request), "opened the emergency accesses", readonly=True) as ctx:
        waiting, number, more = await access.emergencies.waiting(ctx, limit=LINES, after=after)
        reviewed = await access.emergencies.reviewed(ctx)
    return render(
        request,
        "admin/emergencies.html",
        error.status if error else 200,
        waiting=waiting,
        number=number,
        more=more,
        after=after,
        reviewed=reviewed,
        outcomes=OUTCOMES,
        longest=access.emergencies.LONGEST,
        me=ctx_of(request).actor.id,
        error=error,
        about=about,
        typed=typed or {},
    )


async def review(request: Request) -> Response:
    """POST: what the reviewer found."""
    key, form = request.path_params["emergency"], await request.form()
    typed = {name: str(form.get(name) or "") for name in ("outcome", "note")}
    try:
        async with access.work(ctx_of(request), "reviewed an emergency access") as ctx:
            await access.emergencies.review(ctx, key, typed["outcome"], typed["note"])
    except BedsideError as error:
        if error.status not in {400, 409}:
            raise
        return await _page(request, error, key, typed)
    return RedirectResponse(f"/work?reviewed={key}#emergencies", 303)


async def again(request: Request) -> Response:
    """POST: it was not reviewed after all."""
    async with access.work(ctx_of(request), "took back the review of an emergency access") as ctx:
        await access.emergencies.take_back(ctx, request.path_params["emergency"])
    return RedirectResponse("/work?again#emergencies", 303)


ROUTES: list[BaseRoute] = [
    Route("/admin/emergencies", page),
    Route("/admin/emergencies/{emergency}", review, methods=["POST"]),
    Route("/admin/emergencies/{emergency}/again", again, methods=["POST"]),
]
