"""Coming in again with nothing but a code of the clinic, and asking to be called. No page tells who is known here.

/sign-in/again takes the code and the birth date; /account/anew is where whoever came in so sets up how they sign in.
"""

from __future__ import annotations

from datetime import date

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from webauthn.helpers import bytes_to_base64url

from bedside import access, messaging
from bedside.foundation.errors import BedsideError, Conflict, Forbidden, Invalid, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.entry.sign_in import TOLD, agent_of, entered
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_

LONGEST = 120


async def page(request: Request) -> Response:
    """GET: the code and the birth date."""
    return _page(request)


def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    status = error.status if error else 200
    response = render(request, "entry/again.html", status, error=error, typed=typed or {"code": "", "birth": ""})
    return _later(response, error)


def _later(response: Response, error: BedsideError | None) -> Response:
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.retry_after)
    return response


async def use(request: Request) -> Response:
    """POST: in, and on to setting up how they sign in."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip()[:40] for name in ("code", "birth")}
    try:
        _day(typed["birth"])
        done = await access.recovery.use(ctx_of(request), typed["code"], typed["birth"], agent=agent_of(request))
    except TOLD as error:
        return _page(request, error, typed)
    return await entered(request, done, "/account/anew")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid(N_("There is no such day. Write the day, the month and the year."), where="birth") from None


async def call_page(request: Request) -> Response:
    """GET: who asks to be called."""
    return _call(request)


def _call(
    request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None, *, asked: bool = False
) -> Response:
    status = error.status if error else 200
    typed = typed or dict.fromkeys(("given", "family", "birth"), "")
    return _later(render(request, "entry/call_me.html", status, error=error, typed=typed, asked=asked), error)


async def call_me(request: Request) -> Response:
    """POST: kept for the clinic. The answer is the same for everybody."""
    form = await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split())[:LONGEST] for name in ("given", "family", "birth")}
    try:
        if not typed["family"]:
            raise Invalid(N_("This is missing."), where="family")
        _day(typed["birth"])
        await access.calling.ask(ctx_of(request), **typed)
    except (Invalid, TooMany) as error:
        return _call(request, error, typed)
    return _call(request, asked=True)


async def anew(request: Request) -> Response:
    """GET: a passkey, and where they are reached."""
    return await _anew(request)


async def _anew(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    ctx = ctx_of(request)
    if ctx.actor.kind != "person":
        return RedirectResponse("/sign-in", 303)
    async with access.work(ctx, "opened their account", readonly=True) as inner:
        let_in = await access.recovery.fresh(inner)
        if let_in is None:
            return RedirectResponse("/account", 303)
        person = await access.person(inner, ctx.actor.id)
        passkeys = await access.passkeys.passkeys(inner)
    return render(
        request,
        "entry/anew.html",
        error.status if error else 200,
        error=error,
        let_in=let_in,
        passkeys=[(bytes_to_base64url(one.id), one.label) for one in passkeys],
        reach=typed or {"email": person.email or "", "phone": person.phone or ""},
        home=next((place.href for place in page_of(request).places), "/account"),
    )


async def reach(request: Request) -> Response:
    """POST: where they are reached; then on to their own page."""
    form = await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in ("email", "phone")}
    try:
        async with access.work(ctx_of(request), "changed their own address") as inner:
            if not any(typed.values()) and not await access.passkeys.passkeys(inner):
                raise Invalid(
                    N_("Without an e-mail, a telephone or a passkey you could not come in next time."), where="email"
                )
            await messaging.reach_again(inner, typed["email"], typed["phone"])
    except (Conflict, Forbidden, Invalid) as error:
        return await _anew(request, error, typed)
    return RedirectResponse("/", 303)
