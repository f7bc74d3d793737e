"""One colleague: name and roles, where they are on duty, their licences, and a way back in for who lost everything."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.admin.leaving import hand_of
from bedside.web.admin.people import colleague
from bedside.web.kit import render

FIELDS = ("place", "number", "kind", "status", "from", "until", "source")
BLANK = {f"licence_{name}": "" for name in FIELDS} | {"licence_kind": "full", "licence_status": "active"}
ROLES = {
    "clinician": N_("clinician"),
    "nurse": N_("nurse"),
    "pharmacist": N_("pharmacist"),
    "administrator": N_("administrator"),
    "privacy-officer": N_("privacy officer"),
}
CARE = frozenset({"clinician", "nurse"})
DONE = {
    "licence": N_("The licence is recorded"),
    "changed": N_("It is changed, and holds from now on"),
    "address": N_("The address is changed"),
}
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


async def _page(
    request: Request,
    error: BedsideError | None = None,
    typed: dict[str, str] | None = None,
    *,
    said: tuple[str, list[str]] | None = None,
    reach: dict[str, str] | None = None,
) -> Response:
    """typed: a licence. said: name and roles. reach: where they are reached; each as it was typed."""
    async with access.work(ctx_of(request), "opened a colleague's page", readonly=True) as ctx:
        who = await colleague(ctx, request.path_params["person"])
        licences = await access.licences_of(ctx, who.id)
        places = {place.id: place.name for place in await access.places(ctx, closed=True)}
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
        done=next((DONE[name] for name in DONE if name in request.query_params), None),
        said=said or (who.name, sorted(who.roles)),
        reach=reach or {"email": who.email or "", "phone": who.phone or ""},
        role_words=ROLES,
    )


async def change(request: Request) -> Response:
    """POST: another name, other roles."""
    form = await request.form()
    name, roles = str(form.get("name") or ""), [str(one) for one in form.getlist("roles")]
    try:
        async with access.work(ctx_of(request), "changed a colleague's name or roles") as ctx:
            who = await colleague(ctx, request.path_params["person"])
            await _nothing_in_hand(ctx, who, frozenset(roles))
            await access.appoint(ctx, who.id, name=name, roles=frozenset(roles))
    except (Invalid, Conflict) as error:
        return await _page(request, error, said=(name, roles))
    return RedirectResponse(f"/admin/people/{who.id}?changed", 303)


async def _nothing_in_hand(ctx: Ctx, who: access.Person, roles: frozenset[str]) -> None:
    """Whoever no longer takes care of patients, or signs no longer, has nothing open that needs it. Raises Conflict."""
    loses = "clinician" in who.roles - roles or (bool(who.roles & CARE) and not roles & CARE)
    if loses and (await hand_of(ctx, who)).any:
        raise Conflict(
            "They have work in hand that needs the role which would be taken away.",
            where="roles",
            remedy="“End account” lists it, and ends nothing yet: let them finish it or hand it on first.",
        )


async def address(request: Request) -> Response:
    """POST: where somebody is reached who has never come in; everybody else says so themselves."""
    form = await request.form()
    typed = {name: str(form.get(name) or "") for name in ("email", "phone")}
    try:
        async with access.work(ctx_of(request), "corrected where a person is told") as ctx:
            who = await colleague(ctx, request.path_params["person"])
            await messaging.correct(ctx, who.id, typed["email"], typed["phone"])
    except (Invalid, Conflict) as error:
        return await _page(request, error, reach=typed)
    return RedirectResponse(f"/admin/people/{who.id}?address", 303)


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
