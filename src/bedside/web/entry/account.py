"""One's own account: where one is signed in, passkeys, the PIN for walls."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Forbidden, Invalid, SignInNeeded, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.entry import shown
from bedside.web.entry.browsers import browser
from bedside.web.entry.proof import proof_of
from bedside.web.entry.sign_in import json_of
from bedside.web.kit import page_of, render

STAFF = frozenset({"clinician", "nurse", "pharmacist", "administrator", "privacy-officer"})


async def page(request: Request) -> Response:
    """GET /account."""
    return await _page(request)


async def _page(
    request: Request,
    error: BedsideError | None = None,
    done: str | None = None,
    reach: dict[str, str | None] | None = None,
) -> Response:
    """reach: what was typed where staff change their own address."""
    ctx = ctx_of(request)
    if ctx.actor.kind != "person":
        return RedirectResponse("/sign-in?next=/account", 303)
    async with access.work(ctx, "opened their account", readonly=True) as inner:
        person = await access.person(inner, ctx.actor.id)
        sessions = await access.sessions(inner)
        passkeys = await access.passkeys.passkeys(inner)
        places = await _walls(inner, person)
        silence = await messaging.quiet_hours(inner)
        channel = await messaging.told_by(inner)
        printed = await access.printed.printed(inner)
    return render(
        request,
        "entry/account.html",
        error.status if error else 200,
        error=error,
        done="saved" if "saved" in request.query_params else done,
        theme=page_of(request).theme,
        person=person,
        sessions=sessions,
        browser=browser,
        mine=ctx.actor.session,
        passkeys=[(bytes_to_base64url(one.id), one.label, one.created) for one in passkeys],
        silence=silence,
        channel=channel,
        printed=printed,
        reach=reach or {"email": person.email, "phone": person.phone},
        quiet_error=request.query_params.get("quiet"),
        zones=shown.zones(),
        zone_error="zone" in request.query_params,
        staff=bool(person.roles & STAFF),
        places=places,
    )


async def _walls(ctx: Ctx, person: access.Person) -> list[tuple[str, str]]:
    """The places that this person may make a wall of: id and name; a nurse's own of now, an administrator's all."""
    if not person.roles & {"nurse", "administrator"}:
        return []
    mine = {duty.place for duty in await access.on_duty(ctx, person=person.id)}
    watched = [place for place in await access.places(ctx) if place.kind in {"ward", "programme"}]
    return [(place.id, place.name) for place in watched if "administrator" in person.roles or place.id in mine]


async def wall(request: Request) -> Response:
    """Make this browser a wall of a place; whoever was signed in on it is no longer."""
    form = await request.form()
    ctx = ctx_of(request)
    async with access.work(ctx, "made a screen a wall") as inner:
        opened = await access.open_display(
            inner, str(form.get("place") or ""), agent=request.headers.get("user-agent", "")
        )
        await access.sign_out(inner)
    response = RedirectResponse("/wall", 303)
    access.set_cookie(ctx, response, opened)
    return response


async def sign_out(request: Request) -> Response:
    """End this session."""
    ctx = ctx_of(request)
    async with access.work(ctx, "signed out") as inner:
        await access.sign_out(inner)
    response = RedirectResponse("/sign-in", 303)
    access.drop_cookie(ctx, response)
    return response


async def sign_out_everywhere(request: Request) -> Response:
    """End every session of this person, this one too."""
    ctx = ctx_of(request)
    async with access.work(ctx, "signed out everywhere") as inner:
        await access.sign_out_everywhere(inner)
    response = RedirectResponse("/sign-in", 303)
    access.drop_cookie(ctx, response)
    return response


async def pin(request: Request) -> Response:
    """Set the PIN for acknowledging at a wall."""
    form: dict[str, Any] = dict(await request.form())
    try:
        async with access.work(ctx_of(request), "set their PIN") as inner:
            await access.set_pin(inner, str(form.get("pin", "")), proof_of(form))
    except (Forbidden, Invalid, TooMany) as error:
        return await _page(request, error)
    return await _page(request, done="pin")


async def codes(request: Request) -> Response:
    """Make printed codes and show them, this once."""
    form: dict[str, Any] = dict(await request.form())
    try:
        async with access.work(ctx_of(request), "made printed codes") as inner:
            made = await access.printed.make(inner, proof_of(form))
            person = await access.person(inner, inner.actor.id)
    except (Forbidden, Invalid, TooMany) as error:
        return await _page(request, error)
    response = render(request, "entry/printed.html", codes=made, person=person)
    response.headers["cache-control"] = "no-store"
    return response


async def reach(request: Request) -> Response:
    """Change one's own e-mail and telephone; staff alone."""
    form: dict[str, Any] = dict(await request.form())
    typed = {name: str(form.get(name) or "") for name in ("email", "phone")}
    try:
        async with access.work(ctx_of(request), "changed their own address") as inner:
            await messaging.reach_me(inner, typed["email"], typed["phone"], proof_of(form))
    except (Conflict, Forbidden, Invalid, TooMany) as error:
        return await _page(request, error, reach={**typed})
    return RedirectResponse("/account?saved=1", 303)


async def passkey_options(request: Request) -> Response:
    """What the browser needs to make a passkey."""
    return Response(await access.passkeys.registration_options(ctx_of(request)), media_type="application/json")


async def passkey(request: Request) -> Response:
    """Keep the passkey that was made."""
    said = await json_of(request)
    await access.passkeys.add_passkey(ctx_of(request), str(said.get("answer") or ""), str(said.get("label") or ""))
    return Response(status_code=204)


async def remove_passkey(request: Request) -> Response:
    """Take one away."""
    form = await request.form()
    try:
        key = base64url_to_bytes(str(form.get("passkey") or ""))
    except ValueError:
        raise Invalid("That is no passkey.") from None
    try:
        async with access.work(ctx_of(request), "removed a passkey") as inner:
            await access.passkeys.drop_passkey(inner, key)
    except Conflict as error:
        return await _page(request, error)
    return RedirectResponse("/account#passkeys", 303)


async def confirm_options(request: Request) -> Response:
    """What the browser needs to confirm by passkey who acts. `person`: who, at a wall."""
    ctx = ctx_of(request)
    if ctx.actor.kind != "person":
        raise SignInNeeded("Sign in first.")
    said = await json_of(request)
    who = str(said.get("person") or "") or None
    if "display" not in ctx.actor.roles:
        who = None
    return Response(await access.passkeys.confirm_options(ctx, who), media_type="application/json")
