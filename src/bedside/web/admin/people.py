"""Who works here: add, invite, and begin anew for somebody who lost everything."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.admin import start
from bedside.web.kit import render

STAFF = ("clinician", "nurse", "pharmacist", "administrator", "privacy-officer")


async def page(request: Request) -> Response:
    """Everybody who works here."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    ctx = ctx_of(request)
    await access.require(ctx, "administrator")
    async with access.work(ctx, "opened the list of colleagues", readonly=True) as inner:
        # Patients are not listed: that somebody is one is clinical, and an administrator has no clinical data.
        everybody = await access.people(inner)
        found = [one for one in everybody if one.roles & set(STAFF)]
        steps = None if await access.clinics.start_put_away(inner) else await start.steps(request, inner, everybody)
        gaps = [week.place.name for week in await access.rota.weeks(inner) if week.wanting]
        waiting = set(await access.invited.waited_for(inner))
        ending = await access.licences_ending(inner)
    return render(
        request,
        "admin/people.html",
        error.status if error else 200,
        people=found,
        error=error,
        gaps=gaps,
        steps=steps,
        waiting=waiting,
        ending=ending,
        today=ctx.clock.now().date(),
        typed=typed or {"name": "", "email": "", "role": "clinician"},
        left="left" in request.query_params,
        me=ctx.actor.id,
    )


async def add(request: Request) -> Response:
    """Add a colleague, send the invitation, and show its link."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in ("name", "email", "role")}
    try:
        async with access.work(ctx_of(request), "added a colleague") as inner:
            await access.require(inner, "administrator")
            if typed["role"] not in STAFF or not typed["name"]:
                raise Invalid("A colleague needs a name and a role.", where="name")
            if "@" not in typed["email"]:
                raise Invalid("The invitation goes by e-mail: type theirs.", where="email")
            made = await access.add_person(inner, await _new(inner, typed))
            link = await access.sign_in.invite(inner, made.id)
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return links(request, N_("Added, and the invitation is on its way"), [access.staff_list.Added(made, link)])


async def _new(ctx: Ctx, typed: dict[str, str]) -> access.NewPerson:
    """With the clinic's language, units and zone until they choose their own."""
    ours = await access.clinics.clinic(ctx)
    new = access.NewPerson(name=typed["name"], roles=frozenset({typed["role"]}), email=typed["email"])
    if ours is None:
        return new
    return access.NewPerson(
        name=new.name, roles=new.roles, email=new.email, language=ours.language, units=ours.units, zone=ours.zone
    )


async def invite(request: Request) -> Response:
    """Send a new invitation; `reset`: what they signed in with before stops working at once."""
    form = await request.form()
    async with access.work(ctx_of(request), "sent an invitation") as inner:
        await access.require(inner, "administrator")
        who = await access.person(inner, request.path_params["person"])
        link = await access.sign_in.invite(inner, who.id, reset=bool(form.get("reset")))
    return links(request, N_("The invitation is on its way"), [access.staff_list.Added(who, link)])


def links(request: Request, title: str, added: list[access.staff_list.Added], left_out: int = 0) -> Response:
    """The links that were just made, shown this once: to be read out, printed or sent. title: a msgid."""
    ctx = ctx_of(request)
    rows = [(one, messaging.leads_out(ctx, "email" if one.person.email else "phone")) for one in added]
    told = title if all(goes for _, goes in rows) else N_("The links are made")
    response = render(request, "admin/links.html", title=told, rows=rows, left_out=left_out)
    response.headers["cache-control"] = "no-store"
    return response
