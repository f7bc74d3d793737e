"""/register: somebody asks to be taken in as a patient, where the clinic lets them.

The same answer for everybody: a link goes to the e-mail, and only after it was opened and its button pressed does the
request wait for the staff. No page here tells whether somebody is known.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access
from bedside.foundation.errors import BedsideError, Invalid, NotFound, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.desk import form as desk
from bedside.web.kit import page_of, render, told
from bedside.web.kit.places import N_


async def page(request: Request) -> Response:
    """GET: the short form."""
    await _open(request)
    return _page(request, dict.fromkeys(desk.SHORT, ""))


async def _open(request: Request) -> None:
    if not await access.applying.allowed(ctx_of(request)):
        raise NotFound(N_("There is no such page."))


def _page(
    request: Request,
    typed: Mapping[str, str],
    faults: Mapping[str, BedsideError] | None = None,
    error: BedsideError | None = None,
) -> Response:
    reader = page_of(request)
    return render(
        request,
        "desk/apply.html",
        error.status if error else 400 if faults else 200,
        typed=typed,
        faults={field: told(one, reader.language) for field, one in (faults or {}).items()},
        error=error,
        genders=desk.GENDERS,
        today=reader.now.astimezone(reader.zone).date(),
    )


async def ask(request: Request) -> Response:
    """POST: keep it for a day, and send the link."""
    await _open(request)
    typed, reader = desk.read(await request.form()), page_of(request)
    faults: dict[str, BedsideError] = dict(desk.faults(typed, reader.now.astimezone(reader.zone).date()))
    if not typed["email"]:
        faults["email"] = Invalid(N_("This is missing."), where="email")
    faults = {field: one for field, one in faults.items() if field in desk.SHORT}
    if faults:
        return _page(request, typed, faults)
    said = {name: typed[name] for name in desk.SHORT} | {"language": reader.language}
    try:
        await access.applying.apply(
            ctx_of(request), said, name=desk.name(typed), email=typed["email"], language=reader.language
        )
    except TooMany as error:
        return _page(request, typed, error=error)
    return render(request, "desk/applied.html", step="sent", email=typed["email"])


async def link(request: Request) -> Response:
    """GET: what the link is for, and the button; a mail scanner consumes nothing."""
    good = await access.applying.good(ctx_of(request), request.path_params["token"])
    return render(request, "desk/applied.html", 200 if good else 410, step="confirm" if good else "spent", email="")


async def confirm(request: Request) -> Response:
    """POST: the e-mail is theirs."""
    try:
        done = await access.applying.confirm(ctx_of(request), request.path_params["token"])
    except TooMany:
        done = False
    return render(request, "desk/applied.html", 200 if done else 410, step="waits" if done else "spent", email="")


ROUTES: list[BaseRoute] = [
    Route("/register", page),
    Route("/register", ask, methods=["POST"]),
    Route("/register/{token}", link),
    Route("/register/{token}", confirm, methods=["POST"]),
]
