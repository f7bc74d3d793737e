"""The patient's way into a visit: the link, who you are, where you are, the check of the devices, the room.

No step consumes anything by GET: mail scanners fetch links. The device that confirmed keeps the visit by a cookie of
its own, across reloads, until the visit ends; a patient who is signed in needs no link.
"""

from __future__ import annotations

from datetime import date

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, visits
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import BedsideError, Forbidden, Gone, NotFound, TooMany
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.visit.words import check_words, country_names, room_words

COOKIE = "bedside-visit"
DAY = 24 * 3600
ANSWERS = ("name", "day", "month", "year")
DOOR = Actor("job", "visit-link", "visit link")
"""Who looks a link up while nobody has said who they are: a named job, for the patient's own request."""


def door(request: Request) -> Ctx:
    """The ctx of whoever comes by a link, before anybody has said who they are."""
    ctx = ctx_of(request)
    return ctx.with_(actor=DOOR, purpose="PATRQT")


async def patient_of(request: Request) -> Ctx:
    """The signed-in patient, or the guest whose device holds this visit. Raises Forbidden."""
    ctx, key = ctx_of(request), request.path_params["visit"]
    device = request.cookies.get(COOKIE)
    if ctx.actor.kind == "nobody" and device:
        async with access.work(door(request), "came back to the visit", readonly=True) as inside:
            actor, visit = await visits.guest(inside, device)
        if visit != key:
            raise Forbidden("This device was let into another visit.", remedy="Open the link of this visit again.")
        return ctx.with_(actor=actor, purpose="PATRQT")
    return ctx


async def link(request: Request) -> Response:
    """GET: who are you? The device that said so already goes on; a dead link offers a new one."""
    secret, device = request.path_params["secret"], request.cookies.get(COOKIE)
    try:
        async with access.work(door(request), "opened a visit link", readonly=True) as ctx:
            if device and (visit := await visits.came_back(ctx, secret, device)):
                return RedirectResponse(f"/visit/{visit}", 303)
            await visits.look(ctx, secret)
    except (NotFound, Gone):
        return render(request, "visit/dead.html", status=410, sent=False, secret=secret)
    return _who(request, dict.fromkeys(ANSWERS, ""))


def _who(request: Request, values: dict[str, str], error: str | None = None, status: int = 200) -> Response:
    secret = request.path_params["secret"]
    link = f"{request.app.state.settings.public_url}/join/{secret}"
    return render(request, "visit/who.html", status, values=values, error=error, secret=secret, link=link)


async def confirm(request: Request) -> Response:
    """POST: name and birth date. Right: this device is let in; wrong: asked again, five times in all."""
    form, secret = await request.form(), request.path_params["secret"]
    values = {name: str(form.get(name, "")) for name in ANSWERS}
    ctx = door(request)
    try:
        await access.limits.spend(ctx, "link", ctx.origin)
        born = date(int(values["year"]), int(values["month"]), int(values["day"]))
        async with access.work(ctx, "confirmed a visit link") as inside:
            let_in = await visits.confirm(inside, secret, values["name"], born)
        if let_in is None:
            # The fifth wrong answer closes it: then no form is shown that cannot be answered.
            async with access.work(ctx, "opened a visit link", readonly=True) as inside:
                await visits.look(inside, secret)
    except ValueError:
        return _who(request, values, "date", 400)
    except (NotFound, Gone):
        return render(request, "visit/dead.html", status=410, sent=False, secret=secret)
    if let_in is None:
        return _who(request, values, "wrong", 403)
    device, visit = let_in
    response = RedirectResponse(f"/visit/{visit.id}", 303)
    secure = request.app.state.settings.secure
    response.set_cookie(COOKIE, device, max_age=DAY, httponly=True, secure=secure, samesite="lax", path="/")
    return response


async def renew(request: Request) -> Response:
    """POST: a new link to the phone or e-mail on file. The answer is the same whether one was sent or not."""
    secret, ctx = request.path_params["secret"], door(request)
    try:
        await access.limits.spend(ctx, "send", secret)
        async with access.work(ctx, "asked for a new visit link") as inside:
            await visits.renew(inside, secret, request.app.state.settings.public_url)
    except TooMany:
        pass
    return render(request, "visit/dead.html", sent=True, secret=secret)


async def where(request: Request) -> Response:
    """GET: where are you now, whom to call back, do you agree."""
    ctx = await patient_of(request)
    async with access.work(ctx, "opened the visit", readonly=True) as inside:
        visit = await visits.get(inside, request.path_params["visit"])
    return _where(request, visit)


def _where(
    request: Request, visit: visits.Visit, values: dict[str, str] | None = None, error: BedsideError | None = None
) -> Response:
    place = visit.place
    known = (
        {
            "country": place.country,
            "subdivision": place.subdivision,
            "address": place.address,
            "callback": place.callback,
        }
        if place
        else {"country": request.app.state.clinic.country, "subdivision": "", "address": "", "callback": ""}
    )
    return render(
        request,
        "visit/where.html",
        status=error.status if error else 200,
        visit=visit,
        early=visit.early(page_of(request).now),
        values=known | (values or {}),
        error=error,
        countries=country_names(page_of(request).language),
        states={"": "–"} | {f"{c.code}-{k}": v for c in visits.countries() for k, v in c.subdivisions.items()},
    )


async def arrive(request: Request) -> Response:
    """POST: keep it, ask the licence table, go on to the check."""
    ctx, form = await patient_of(request), await request.form()
    values = {name: str(form.get(name, "")).strip() for name in ("country", "subdivision", "address", "callback")}
    # The list of states is one list for all countries; only a state of the chosen country counts.
    state = values["subdivision"].partition("-")
    place = visits.Place(
        values["country"], state[2] if state[0] == values["country"] else "", values["address"], values["callback"]
    )
    try:
        async with access.work(ctx, "said where they are") as inside:
            visit = await visits.arrive(
                inside,
                request.path_params["visit"],
                place,
                form.get("agreed") == "yes",
                home=request.app.state.clinic.country,
            )
    except BedsideError as error:
        if error.status != 400:
            raise
        async with access.work(ctx, "opened the visit", readonly=True) as inside:
            visit = await visits.get(inside, request.path_params["visit"])
        return _where(request, visit, values, error)
    return RedirectResponse(f"/visit/{visit.id}/check", 303)


async def check(request: Request) -> Response:
    """GET: camera, microphone, connection."""
    ctx = await patient_of(request)
    async with access.work(ctx, "checked the devices", readonly=True) as inside:
        visit = await visits.get(inside, request.path_params["visit"])
    if visit.place is None:
        return RedirectResponse(f"/visit/{visit.id}", 303)
    return render(request, "visit/check.html", visit=visit, words=check_words(request))


async def elsewhere(request: Request) -> Response:
    """POST: this browser cannot be seen or heard; a new link for another one of the same person's."""
    ctx = await patient_of(request)
    await access.limits.spend(ctx, "send", request.path_params["visit"])
    async with access.work(ctx, "asked for a link for another browser") as inside:
        link = await visits.elsewhere(inside, request.path_params["visit"], request.app.state.settings.public_url)
    return render(request, "visit/elsewhere.html", link=link)


async def room(request: Request) -> Response:
    """GET: the waiting room, which becomes the room when the clinician comes."""
    ctx = await patient_of(request)
    async with access.work(ctx, "entered the waiting room", readonly=True) as inside:
        visit = await visits.get(inside, request.path_params["visit"])
    if not visit.open:
        return render(request, "visit/over.html")
    if visit.place is None:
        return RedirectResponse(f"/visit/{visit.id}", 303)
    decision = visits.licence_of(visit)
    stopped = decision is not None and decision.answer == "block"
    return render(request, "visit/room.html", visit=visit, stopped=stopped, words=room_words(request))


async def over(request: Request) -> Response:
    """GET: after the visit."""
    return render(request, "visit/over.html")


ROUTES: list[BaseRoute] = [
    Route("/join/{secret}", link, methods=["GET"]),
    Route("/join/{secret}", confirm, methods=["POST"]),
    Route("/join/{secret}/renew", renew, methods=["POST"]),
    Route("/visit/over", over),
    Route("/visit/{visit}", where, methods=["GET"]),
    Route("/visit/{visit}", arrive, methods=["POST"]),
    Route("/visit/{visit}/check", check),
    Route("/visit/{visit}/elsewhere", elsewhere, methods=["POST"]),
    Route("/visit/{visit}/room", room),
]
