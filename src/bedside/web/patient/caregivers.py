"""Whom a patient lets in, what they may do and until when, taking it back, and who is told when there is an alarm."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Forbidden, Invalid, NotFound, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render, told
from bedside.web.kit.places import N_
from bedside.web.patient import consent

HERE = "/me/caregivers"
DONE = {
    "saved": (N_("Saved"), ""),
    "in": (
        N_("They are let in"),
        N_("A mail is on its way to them. Tell them to expect it: a first link in it is good for 7 days."),
    ),
    "back": (N_("They are out"), N_("Nothing of your record is open to them any more.")),
}


async def page(request: Request) -> Response:
    """GET /me/caregivers."""
    return await _page(request)


async def _page(
    request: Request, error: BedsideError | None = None, typed: Mapping[str, str] | None = None
) -> Response:
    async with access.work(ctx_of(request), "opened whom they let in", readonly=True) as ctx:
        people = await consent.shown(ctx, await _mine(ctx))
        mails = messaging.leads_out(ctx, "email")
    return render(
        request,
        "patient/caregivers.html",
        error.status if error else 200,
        people=people,
        error=error,
        faults={error.where: told(error, page_of(request).language)} if error and error.where in consent.FIELDS else {},
        done=next((DONE[word] for word in DONE if word in request.query_params), None),
        typed=typed or consent.blank(),
        may=consent.MAY,
        shown=consent.SHOWN,
        mails=mails,
    )


async def _mine(ctx: Ctx) -> str:
    await access.require(ctx, "patient")
    patient = (await access.person(ctx, ctx.actor.id)).patient
    if patient is None:
        raise Forbidden("Only the patient decides this.")
    return patient


async def save(request: Request) -> Response:
    """POST /me/caregivers/{person}: told of alarms, or not."""
    form = await request.form()
    try:
        async with access.work(ctx_of(request), "chose who is told of alarms") as ctx:
            person = request.path_params["person"]
            await access.caregivers.set_alerts(ctx, await _mine(ctx), person, on=form.get("alerts") == "yes")
    except (Conflict, NotFound) as error:
        return await _page(request, error)
    return RedirectResponse(f"{HERE}?saved=1", 303)


async def let_in(request: Request) -> Response:
    """POST: one more. What is answered is the same whether they have an account here or not."""
    typed = consent.read(await request.form())
    reader = page_of(request)
    try:
        said = consent.checked(typed, today=_today(request))
        await access.limits.spend(ctx_of(request), "letting-in", ctx_of(request).actor.id)
        async with access.work(ctx_of(request), "let somebody in") as ctx:
            patient = await _mine(ctx)
            if not messaging.leads_out(ctx, "email"):
                raise Conflict(N_("No mail leaves this clinic."), remedy=N_("Ask the clinic to let them in for you."))
            how = "The patient said so, signed in"
            await consent.let_in(ctx, patient, said, reader.zone, how=how, language=reader.language, by_mail=True)
    except (Conflict, Invalid, TooMany) as error:
        return await _page(request, error, typed)
    return RedirectResponse(f"{HERE}?in", 303)


def _today(request: Request) -> date:
    return page_of(request).now.astimezone(page_of(request).zone).date()


async def take_back(request: Request) -> Response:
    """POST: out, at once."""
    try:
        async with access.work(ctx_of(request), "let somebody in no longer") as ctx:
            await consent.take_back(ctx, await _mine(ctx), request.path_params["person"])
    except NotFound as error:
        return await _page(request, error)
    return RedirectResponse(f"{HERE}?back", 303)


ROUTES: list[BaseRoute] = [
    Route(HERE, page),
    Route(HERE, let_in, methods=["POST"]),
    Route(f"{HERE}/{{person}}", save, methods=["POST"]),
    Route(f"{HERE}/{{person}}/back", take_back, methods=["POST"]),
]
