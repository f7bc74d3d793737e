"""One colleague: what they are, where they are on duty, their licences, and a way back in for who lost everything."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import N_, BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.admin.people import colleague
from bedside.web.kit import render

FIELDS = ("place", "number", "kind", "status", "from", "until", "source")
BLANK = {f"licence_{name}": "" for name in FIELDS} | {"licence_kind": "full", "licence_status": "active"}
STATUSES = {"active": N_("active"), "suspended": N_("suspended"), "revoked": N_("revoked")}
KINDS = {
    "full": N_("full licence"),
    "compact-licence": N_("compact licence"),
    "compact-privilege": N_("compact privilege"),
    "telehealth-registration": N_("telehealth registration"),
    "exception": N_("exception"),
}


async def page(request: Request) -> Response:
    """GET /admin/people/{person}."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    async with access.work(ctx_of(request), "opened a colleague's page", readonly=True) as ctx:
        who = await colleague(ctx, request.path_params["person"])
        licences = await access.licences_of(ctx, who.id)
        places = {place.id: place.name for place in await access.places(ctx)}
        duties = await access.rota.duties_of(ctx, who.id)
        waiting = who.id in await access.invited.waited_for(ctx)
        me, today = ctx.actor.id, ctx.clock.now().date()
    return render(
        request,
        "admin/person.html",
        error.status if error else 200,
        person=who,
        licences=licences,
        duties=duties,
        places=places,
        waiting=waiting,
        error=error,
        typed=typed or BLANK,
        today=today,
        kinds=KINDS,
        statuses=STATUSES,
        me=me,
        done="licence" in request.query_params,
    )


async def licence(request: Request) -> Response:
    """POST: a licence, or a change of the one with this place and number."""
    form = await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split()) for name in BLANK}
    try:
        async with access.work(ctx_of(request), "recorded a licence") as ctx:
            who = await colleague(ctx, request.path_params["person"])
            await access.add_licence(ctx, access.staff_list.licence(typed, who.id, ctx.clock.now().date()))
    except Invalid as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"/admin/people/{who.id}?licence", 303)
