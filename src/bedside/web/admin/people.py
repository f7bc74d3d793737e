"""Who works here: add, invite, begin anew for somebody who lost everything, and end an account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Conflict, Invalid
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
    done = {"invited", "left", "added"} & set(request.query_params)
    return render(
        request,
        "admin/people.html",
        error.status if error else 200,
        people=found,
        error=error,
        gaps=gaps,
        steps=steps,
        typed=typed or {"name": "", "email": "", "role": "clinician"},
        done=next(iter(done), None),
        me=ctx.actor.id,
    )


async def add(request: Request) -> Response:
    """Add a colleague and send the invitation."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in ("name", "email", "role")}
    try:
        async with access.work(ctx_of(request), "added a colleague") as inner:
            await access.require(inner, "administrator")
            if typed["role"] not in STAFF or not typed["name"]:
                raise Invalid("A colleague needs a name and a role.", where="name")
            if "@" not in typed["email"]:
                raise Invalid("The invitation goes by e-mail: type theirs.", where="email")
            made = await access.add_person(
                inner,
                access.NewPerson(name=typed["name"], roles=frozenset({typed["role"]}), email=typed["email"]),
            )
            await access.sign_in.invite(inner, made.id)
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    return RedirectResponse("/admin?added=1", 303)


async def invite(request: Request) -> Response:
    """Send a new invitation; `reset`: what they signed in with before stops working at once."""
    form = await request.form()
    async with access.work(ctx_of(request), "sent an invitation") as inner:
        await access.require(inner, "administrator")
        await access.sign_in.invite(inner, request.path_params["person"], reset=bool(form.get("reset")))
    return RedirectResponse("/admin?invited=1", 303)


async def leave(request: Request) -> Response:
    """Somebody works here no longer: they are out everywhere at once."""
    person = request.path_params["person"]
    async with access.work(ctx_of(request), "ended an account") as inner:
        await access.require(inner, "administrator")
        if person == inner.actor.id:
            raise Invalid("You cannot end your own account.", remedy="Ask another administrator.")
        await access.change_person(inner, person, active=False)
        await access.sign_out_everywhere(inner, person)
    return RedirectResponse("/admin?left=1", 303)
