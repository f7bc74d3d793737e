"""Who works here: add, invite, and begin anew for somebody who lost everything."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.admin import start
from bedside.web.kit import render

STAFF = ("clinician", "nurse", "pharmacist", "administrator", "privacy-officer")
LINES = 25
"""Colleagues of one page."""
SHORT = 10
"""Licences that are named here, the soonest; the work list has them all."""


async def page(request: Request) -> Response:
    """GET ?q=&state=invited&page=: who works here, a page at a time; what waits there stands above, whoever is listed.

    Raises Invalid for a page that is no number.
    """
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    ctx, asked = ctx_of(request), request.query_params
    await access.require(ctx, "administrator")
    sought, invited = asked.get("q", "").strip()[:200], asked.get("state") == "invited"
    number = asked.get("page", "1")
    if not (number.isascii() and number.isdecimal() and int(number[:9]) > 0):
        raise Invalid(N_("This page is not known."), where="page", remedy=N_("Begin with the first one."))
    async with access.work(ctx, "opened the list of colleagues", readonly=True) as inner:
        # Patients are not listed: that somebody is one is clinical, and an administrator has no clinical data.
        everybody = await access.staff(inner)
        found = await access.staff(inner, sought) if sought else everybody
        steps = None if await access.clinics.start_put_away(inner) else await start.steps(request, inner, everybody)
        gaps = [week.place.name for week in await access.rota.weeks(inner) if week.wanting]
        waiting = set(await access.invited.waited_for(inner))
        ending = await access.licences_ending(inner)
        unreached, others = await messaging.to_see_to(inner)
    waiting &= {one.id for one in everybody}
    if invited:
        found = [one for one in found if one.id in waiting]
    pages = max(1, -(-len(found) // LINES))
    here = min(int(number[:9]), pages)
    begin = (here - 1) * LINES
    return render(
        request,
        "admin/people.html",
        error.status if error else 200,
        people=found[begin : begin + LINES],
        begin=begin,
        number=len(found),
        everybody=len(everybody),
        here=here,
        pages=pages,
        sought=sought,
        invited=invited,
        lines=LINES,
        short=SHORT,
        error=error,
        gaps=gaps,
        steps=steps,
        waiting=waiting,
        ending=ending,
        unreached=unreached,
        others=others,
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
            typed["name"] = access.staff_list.check_name(typed["name"])
            if not typed["email"]:
                raise Invalid("The invitation goes by e-mail: type theirs.", where="email")
            typed["email"] = access.staff_list.check_email(typed["email"])
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


async def colleague(ctx: Ctx, id_: str) -> access.Person:
    """Somebody of the staff, in an administrator's open work. Raises Forbidden, NotFound, of a patient too: whoever
    had a patient's link would be in as the patient."""
    await access.require(ctx, "administrator")
    who = await access.person(ctx, id_)
    if not who.roles & set(STAFF):
        raise NotFound("There is no such person.")
    return who


async def invite(request: Request) -> Response:
    """Send a new invitation; `reset`: what they signed in with before stops working at once."""
    reset = bool((await request.form()).get("reset"))
    done = N_("began anew for a colleague") if reset else N_("sent an invitation")
    async with access.work(ctx_of(request), done) as inner:
        who = await colleague(inner, request.path_params["person"])
        if not who.active:
            raise Conflict("This account has ended already.")
        link = await access.sign_in.invite(inner, who.id, reset=reset)
    return links(request, N_("The invitation is on its way"), [access.staff_list.Added(who, link)], secret=reset)


def links(
    request: Request, title: str, added: list[access.staff_list.Added], left_out: int = 0, *, secret: bool = False
) -> Response:
    """The links that were just made, shown this once: to be read out, printed or sent. title: a msgid.

    secret: one that goes by e-mail is not shown: whoever begins anew for somebody must not come in as them.
    """
    ctx = ctx_of(request)
    rows = [(one, messaging.leads_out(ctx, "email" if one.person.email else "phone")) for one in added]
    told = title if all(goes for _, goes in rows) else N_("The links are made")
    response = render(request, "admin/links.html", title=told, rows=rows, left_out=left_out, secret=secret)
    response.headers["cache-control"] = "no-store"
    return response
