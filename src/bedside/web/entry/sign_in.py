"""The sign-in page and each step of it. Every step works without scripts; a passkey alone needs them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import orjson
import segno
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Forbidden, Invalid, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render

# A step that fails shows the page again; these are the refusals that do.
TOLD = (Forbidden, Invalid, TooMany)


def safe_next(wanted: object) -> str:
    """A path on this site, and nothing else: `//host` and `/\\host` lead away."""
    path = str(wanted or "")
    good = path.startswith("/") and path[1:2] not in ("/", "\\") and path.isprintable() and " " not in path
    return path[:500] if good else "/"


def agent_of(request: Request) -> str:
    """The browser, as it calls itself."""
    return request.headers.get("user-agent", "")


async def start(request: Request) -> Response:
    """/: each person's own first page, or the sign-in page."""
    page = page_of(request)
    if not page.signed_in:
        return RedirectResponse("/sign-in", 303)
    return RedirectResponse(page.places[0].href if page.places else "/account", 303)


async def entered(request: Request, signed_in: access.SignedIn, wanted: object) -> Response:
    """The browser gets its session and goes where it wanted; the session it had before is ended."""
    await leave_former(request)
    response = RedirectResponse(safe_next(wanted), 303)
    access.set_cookie(ctx_of(request), response, signed_in)
    return response


async def leave_former(request: Request) -> None:
    """End the session that this browser came with: its cookie is about to be overwritten."""
    ctx = ctx_of(request)
    if ctx.actor.session is not None:
        async with access.work(ctx, "signed out") as inner:
            await access.sign_out(inner)


async def page(request: Request) -> Response:
    """GET /sign-in."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, **typed: Any) -> Response:
    people = await access.sign_in.demo_people(ctx_of(request))
    response = render(
        request,
        "entry/sign_in.html",
        error.status if error else 200,
        error=error,
        people=people,
        next=safe_next(typed.get("next") or request.query_params.get("next")),
        name=typed.get("name", ""),
    )
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.retry_after)
    return response


async def password(request: Request) -> Response:
    """The password; staff go on to their app's code."""
    form = await request.form()
    name, wanted = str(form.get("name") or ""), form.get("next")
    try:
        done = await access.sign_in.with_password(
            ctx_of(request), name, str(form.get("password") or ""), agent=agent_of(request)
        )
    except TOLD as error:
        return await _page(request, error, name=name, next=wanted)
    return await step(request, done, wanted)


async def step(
    request: Request, done: access.SignedIn | access.NextStep, wanted: object, error: BedsideError | None = None
) -> Response:
    """In, or the page that asks for the second factor."""
    if isinstance(done, access.SignedIn):
        return await entered(request, done, wanted)
    enrolment = qr = None
    if done.step == "enrol":
        try:
            enrolment = await access.sign_in.enrolment(ctx_of(request), done.ticket)
        except Forbidden as late:
            return await _page(request, late, next=wanted)
        qr = segno.make(enrolment.uri, micro=False).svg_data_uri(scale=5, border=4, light="#ffffff")
    return render(
        request,
        "entry/second_step.html",
        error.status if error else 200,
        error=error,
        step=done.step,
        ticket=done.ticket,
        next=safe_next(wanted),
        enrolment=enrolment,
        qr=qr,
    )


async def app_code(request: Request) -> Response:
    """Six digits from the authenticator app."""
    form = await request.form()
    ticket, wanted = str(form.get("ticket") or ""), form.get("next")
    enrolling = form.get("step") == "enrol"
    try:
        done = await access.sign_in.with_app_code(
            ctx_of(request), ticket, str(form.get("code") or ""), agent=agent_of(request)
        )
    except TOLD as error:
        return await step(request, access.NextStep("enrol" if enrolling else "code", ticket), wanted, error)
    return await entered(request, done, wanted)


async def send(request: Request) -> Response:
    """Send a link and code, if the address is somebody's; the page says the same either way."""
    form = await request.form()
    address, wanted = str(form.get("address") or "").strip(), form.get("next")
    try:
        if not address:
            raise Invalid("Type your e-mail or telephone.", where="address")
        await access.sign_in.send(ctx_of(request), address)
    except TOLD as error:
        return await _page(request, error, next=wanted)
    return _code_page(request, address, wanted)


def _code_page(request: Request, address: str, wanted: object, error: BedsideError | None = None) -> Response:
    status = error.status if error else 200
    return render(request, "entry/code.html", status, error=error, address=address, next=safe_next(wanted))


async def code(request: Request) -> Response:
    """The six digits that were sent."""
    form = await request.form()
    address, wanted = str(form.get("address") or ""), form.get("next")
    try:
        done = await access.sign_in.with_code(
            ctx_of(request), address, str(form.get("code") or ""), agent=agent_of(request)
        )
    except TOLD as error:
        return _code_page(request, address, wanted, error)
    return await entered(request, done, wanted)


async def help_with_it(request: Request) -> Response:
    """Lost password, lost device: every way on."""
    return render(request, "entry/help.html", asked=False, error=None)


async def ask(request: Request) -> Response:
    """Ask the clinic for help; the page says the same whoever it was."""
    form = await request.form()
    try:
        await access.sign_in.ask_for_help(ctx_of(request), str(form.get("address") or ""))
    except TooMany as error:
        return render(request, "entry/help.html", error.status, asked=False, error=error)
    return render(request, "entry/help.html", asked=True, error=None)


async def printed(request: Request) -> Response:
    """A printed code: on to the link by which to begin anew."""
    form = await request.form()
    try:
        link = await access.printed.use(ctx_of(request), str(form.get("address") or ""), str(form.get("code") or ""))
    except TOLD as error:
        return render(request, "entry/help.html", error.status, asked=False, error=error)
    return RedirectResponse(urlsplit(link).path, 303)


async def demo(request: Request) -> Response:
    """One button for each seeded person, in the demo alone."""
    form = await request.form()
    done = await access.sign_in.with_demo(ctx_of(request), str(form.get("person") or ""), agent=agent_of(request))
    return await entered(request, done, form.get("next"))


async def passkey_options(request: Request) -> Response:
    """What the browser's passkey dialog needs."""
    return Response(await access.passkeys.sign_in_options(ctx_of(request)), media_type="application/json")


async def passkey(request: Request) -> Response:
    """The passkey's answer."""
    said = await json_of(request)
    done = await access.passkeys.with_passkey(ctx_of(request), str(said.get("answer") or ""), agent=agent_of(request))
    await leave_former(request)
    response = JSONResponse({"next": safe_next(said.get("next"))})
    access.set_cookie(ctx_of(request), response, done)
    return response


async def json_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body. Raises Invalid."""
    try:
        said = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        raise Invalid("That is no JSON.") from None
    if not isinstance(said, dict):
        raise Invalid("That is no JSON object.")
    return said
