"""The list of alarms, one alarm, and what people answer: pages that work without JavaScript, and the wall's panel."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match, Route

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.entry import proof_of
from bedside.web.kit import page_of, render, told
from bedside.web.wall import words
from bedside.web.wall.hub import name_of

LISTED = 200
"""Alarms of one page; it says how many open ones more there are, which matter less than those."""
UNDONE = frozenset({"acknowledge", "false-alarm"})
"""Answers that can be taken back for half a minute."""


def _there(request: Request, path: str) -> str | None:
    """The path, if this installation has a page there."""
    scope = {"type": "http", "path": path, "method": "GET", "headers": [], "root_path": ""}
    found = any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)
    return path if found else None


async def listing(request: Request) -> Response:
    """The alarms of the patients one is on duty for, worst first; ?all=1 shows below them those that are closed, newest
    first; ?all=passed only what was over within its delay, so that nobody was told."""
    asked = request.query_params.get("all")
    open_only = asked not in {"1", "passed"}
    async with access.work(ctx_of(request), "looked at the alarms", readonly=True) as work:
        await access.require(work, "nurse", "clinician")
        standing = [] if asked == "passed" else await monitoring.alarms(work)
        found, more = standing[:LISTED], len(standing[LISTED:])
        if not open_only:
            others = await monitoring.alarms(work, open_only=False, raised=asked != "passed", limit=LISTED)
            found += [one for one in others if not one.open]
        names = {one: await name_of(work, one) for one in {alarm.patient for alarm in found}}
        off = not await monitoring.alarms_on(work)
    return render(
        request,
        "wall/alarms.html",
        alarms=[(alarm, names[alarm.patient]) for alarm in found],
        open_only=open_only,
        passed=asked == "passed",
        more=more,
        off=off,
        undo_of=request.query_params.get("undo"),
        words=words,
    )


async def one(request: Request) -> Response:
    """One alarm: what was measured, by which rule, who has it, its history, and what to do."""
    async with access.work(ctx_of(request), "opened an alarm", readonly=True) as work:
        alarm = await monitoring.alarm(work, request.path_params["alarm"])
        name = await name_of(work, alarm.patient)
        people = await _people(work, alarm.patient)
    return render(
        request,
        "wall/alarm.html",
        alarm=alarm,
        name=name,
        undo_of=request.query_params.get("undo"),
        words=words,
        **people,
        **_doors(request, work, alarm.patient),
    )


async def panel(request: Request) -> Response:
    """The same for all of a patient's open alarms, and the score: what the wall shows beside the tiles."""
    patient = request.path_params["patient"]
    async with access.work(ctx_of(request), "looked closer on the wall", readonly=True) as work:
        found = await monitoring.alarms(work, patient=patient)
        alarms = [await monitoring.alarm(work, alarm.id) for alarm in found]
        score = await monitoring.score(work, patient)
        name = await name_of(work, patient)
        stays = await access.places_of(work, patient)
        people = await _people(work, patient)
    return render(
        request,
        "wall/panel.html",
        alarms=alarms,
        score=score,
        name=name,
        bed=(stays[0].bed or "") if stays else "",
        undo_of=request.query_params.get("undo"),
        left=_left(request),
        words=words,
        **people,
        **_doors(request, work, patient),
    )


def _left(request: Request) -> int:
    """Seconds for which the wall offers to take an answer back; the service itself keeps the time."""
    left = request.query_params.get("left", "")
    return min(int(left), monitoring.UNDO_SECONDS) if left.isascii() and left.isdigit() else monitoring.UNDO_SECONDS


async def _people(ctx: Ctx, patient: str) -> dict[str, Any]:
    """Who may answer at a display (it asks who is there), and to whom an alarm may be handed: those on duty there."""
    duties = {
        duty.person: duty
        for stay in await access.places_of(ctx, patient)
        for duty in await access.on_duty(ctx, place=stay.place, role=None, at=ctx.clock.now())
        if duty.role in {"nurse", "clinician"}
    }
    pairs = [(duty.person, duty.name) for duty in duties.values()]
    display = "display" in ctx.actor.roles
    return {"staff": pairs if display else [], "colleagues": [pair for pair in pairs if pair[0] != ctx.actor.id]}


def _doors(request: Request, ctx: Ctx, patient: str) -> dict[str, Any]:
    """Links to the chart and to a visit, where those pages exist and this session may open them."""
    if "display" in ctx.actor.roles:
        return {"chart": None, "video": None}
    chart, video = _there(request, f"/patients/{patient}"), _there(request, f"/patients/{patient}/visit")
    return {"chart": chart, "video": video}


async def _as_person(ctx: Ctx, form: FormData) -> Ctx:
    """At a display, whoever shows their PIN or passkey; elsewhere, who is signed in. Raises Forbidden, Invalid."""
    if "display" not in ctx.actor.roles:
        return ctx
    return await access.confirm(ctx, proof_of(form, wall=True))


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


async def _acknowledge(ctx: Ctx, alarm: str, form: FormData) -> None:
    await monitoring.acknowledge(ctx, alarm, _text(form, "reason"))


async def _act(ctx: Ctx, alarm: str, form: FormData) -> None:
    await monitoring.act(ctx, alarm, _text(form, "action"), _text(form, "reason"))


async def _hand_over(ctx: Ctx, alarm: str, form: FormData) -> None:
    await monitoring.hand_over(ctx, alarm, _text(form, "to"), _text(form, "reason"))


async def _resolve(ctx: Ctx, alarm: str, form: FormData) -> None:
    await monitoring.resolve(ctx, alarm, _text(form, "reason"))


async def _false_alarm(ctx: Ctx, alarm: str, form: FormData) -> None:
    await monitoring.false_alarm(ctx, alarm, _text(form, "reason"))


async def _pause(ctx: Ctx, alarm: str, form: FormData) -> None:
    minutes = _text(form, "minutes")
    whole = int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 4 else 0
    await monitoring.pause(ctx, alarm, whole, _text(form, "other") or _text(form, "reason"))


async def _unpause(ctx: Ctx, alarm: str, form: FormData) -> None:  # noqa: ARG001, RUF100 - an answer takes a form
    await monitoring.unpause(ctx, alarm)


async def _undo(ctx: Ctx, alarm: str, form: FormData) -> None:  # noqa: ARG001, RUF100 - an answer takes a form
    await monitoring.undo(ctx, alarm)


ANSWERS: dict[str, tuple[str, Callable[[Ctx, str, FormData], Awaitable[None]]]] = {
    "acknowledge": (N_("acknowledged an alarm"), _acknowledge),
    "act": (N_("acted on an alarm"), _act),
    "hand-over": (N_("handed over an alarm"), _hand_over),
    "resolve": (N_("resolved an alarm"), _resolve),
    "false-alarm": (N_("called an alarm false"), _false_alarm),
    "pause": (N_("paused an alarm"), _pause),
    "unpause": (N_("ended the pause of an alarm"), _unpause),
    "undo": (N_("took back an answer to an alarm"), _undo),
}


async def answer(request: Request) -> Response:
    """Do one of ANSWERS, then back to where one came from; a script gets JSON."""
    alarm, what = request.path_params["alarm"], request.path_params["answer"]
    if what not in ANSWERS:
        raise NotFound("There is no such answer to an alarm.")
    words_of_audit, deed = ANSWERS[what]
    form = await request.form()
    scripted = "text/html" not in request.headers.get("accept", "")
    try:
        async with access.work(ctx_of(request), words_of_audit) as work:
            await deed(await _as_person(work, form), alarm, form)
    except BedsideError as error:
        if not scripted:
            raise
        # The wall's own script shows it to a person.
        said = told(error, page_of(request).language)
        return JSONResponse({"error": said.message, "where": said.where, "remedy": said.remedy}, said.status)
    if scripted:
        return JSONResponse({"done": what})
    back = "/alarms" if _text(form, "back") == "/alarms" else f"/alarms/{alarm}"
    return RedirectResponse(f"{back}?undo={alarm}" if what in UNDONE else back, 303)


ROUTES: list[BaseRoute] = [
    Route("/alarms", listing),
    Route("/alarms/{alarm}", one),
    Route("/alarms/{alarm}/{answer}", answer, methods=["POST"]),
    Route("/wall/patient/{patient}", panel),
]
