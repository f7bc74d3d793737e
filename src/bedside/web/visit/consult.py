"""The clinician's side: ask for a visit, take it, invite, the room with chart and note beside the picture, end it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bedside import access, messaging, monitoring, records, visits
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.visits.events import signal_subject
from bedside.web.clinician.banner import banner_of
from bedside.web.clinician.licence import licence_words, place_name
from bedside.web.entry import proof_of
from bedside.web.kit import page_of, render, translator
from bedside.web.kit.written import age_words
from bedside.web.visit.beside import beside
from bedside.web.visit.words import EVENTS, MOVED, note_words, room_words
from bedside.web.wall.words import cause_of, value_of

STRIP = ("systolic", "diastolic", "heart-rate", "spo2", "respiratory-rate", "temperature")
"""What stands beside the picture; pressure is one of five."""


async def listing(request: Request) -> Response:
    """GET: my visits: to take, open, of the last day."""
    async with access.work(ctx_of(request), "opened the list of visits", readonly=True) as ctx:
        mine = await visits.mine(ctx)
        names = {v.patient: (await access.person(ctx, v.person)).name for v in mine}
    return render(
        request,
        "visit/list.html",
        handed=[v for v in mine if v.status == "handed"],
        open=[v for v in mine if v.open and v.status != "handed"],
        done=[v for v in mine if not v.open],
        names=names,
    )


async def ask(request: Request) -> Response:
    """GET: why, and to whom. POST: asks for the visit; a clinician's own is invited at once."""
    patient, query = request.path_params["patient"], request.query_params
    error: BedsideError | None = None
    form: Any = {}
    if request.method == "POST":
        form = await request.form()
        try:
            async with access.work(ctx_of(request), "asked for a visit") as ctx:
                visit = await visits.ask(
                    ctx,
                    patient,
                    str(form.get("reason", "")),
                    alarm=str(form.get("alarm", "")) or None,
                    clinician=str(form.get("clinician", "")) or None,
                    id=str(form.get("key", "")) or None,
                    planned=planned_of(form, page_of(request).zone),
                )
                if visit.status == "taken":
                    await visits.invite(ctx, visit.id, request.app.state.settings.public_url)
            return RedirectResponse(f"/visits/{visit.id}", 303)
        except BedsideError as refusal:
            if refusal.status not in {400, 409}:
                raise
            error = refusal
    async with access.work(ctx_of(request), "prepared a visit", readonly=True) as ctx:
        banner = await banner_of(ctx, patient)
        clinicians = await visits.clinicians_on_duty(ctx, patient)
        alarm = await _alarm(ctx, str(form.get("alarm") or query.get("alarm", "")), patient)
    said = value_of(alarm.finding, page_of(request).units) if alarm else ""
    why = f"{translator(page_of(request).language)(cause_of(alarm))} {said}".strip() if alarm else ""
    return render(
        request,
        "visit/ask.html",
        status=error.status if error else 200,
        patient=banner,
        clinicians={c.id: c.name for c in clinicians},
        alarm=alarm,
        why=why,
        reason=form.get("reason", query.get("reason", why)),
        key=form.get("key") or uuid7(),
        typed=form or {"minutes": "20"},
        lengths=visits.MINUTES,
        error=error,
    )


def planned_of(form: Any, zone: ZoneInfo) -> tuple[datetime, int] | None:
    """When a form says a visit is to be, on the clock of zone; None: now. A time that comes twice is its first coming,
    one that does not exist the moment at which the clock jumps over it. Raises Invalid naming planned."""
    if form.get("when") != "later":
        return None
    try:
        day = date.fromisoformat(str(form.get("planned-day", "")))
        at = time.fromisoformat(str(form.get("planned-time", "")))
    except ValueError:
        raise Invalid("Write the day and the time of the visit.", where="planned") from None
    minutes = str(form.get("minutes", ""))
    return access.instant(day, at.replace(tzinfo=None), zone), int(minutes) if minutes.isdecimal() else 0


async def _alarm(ctx: Ctx, key: str, patient: str) -> monitoring.Alarm | None:
    """The alarm that the visit answers, where it is this patient's."""
    if not key:
        return None
    found = await monitoring.alarm(ctx, key)
    return found if found.patient == patient else None


async def desk(request: Request) -> Response:
    """GET: before the visit its state and the next step; with the patient's place known, the room."""
    return await _desk(request)


async def _desk(
    request: Request,
    error: BedsideError | None = None,
    step: str | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    """step: of whose form the error is. typed: what stood in it."""
    key = request.path_params["visit"]
    async with access.work(ctx_of(request), "opened the visit", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")  # the patient's own page is another
        visit = await visits.get(ctx, key)
        banner = await banner_of(ctx, visit.patient)
        latest = (await monitoring.latest(ctx, [visit.patient])).get(visit.patient, [])
        note = await visits.notes.read(ctx, key)
        happened = await visits.history(ctx, key)
        contact = await records.read(ctx, "Patient", visit.patient)
        chart = await beside(ctx, visit.patient, page_of(request).language)
        signing = await visits.licence_to_sign(ctx, key, home=request.app.state.clinic.country)
        others = await visits.clinicians_on_duty(ctx, visit.patient, but=visit.clinician) if visit.open else []
        talk = await messaging.threads.from_ref(ctx, f"visit/{visit.id}")
    holder = visit.clinician == ctx_of(request).actor.id
    decision = visits.licence_of(visit)
    country = visits.country(visit.place.country) if visit.place else None
    in_room = holder and visit.open and decision is not None and decision.passes
    return render(
        request,
        "visit/desk.html" if in_room else "visit/state.html",
        status=error.status if error else 200,
        visit=visit,
        talk=talk,
        patient=banner,
        holder=holder,
        latest={one.metric: one for one in latest},
        note=note,
        happened=happened,
        events=EVENTS,
        decision=decision,
        licence=licence_words(decision, page_of(request)) if decision else None,
        where=place_name(visit.place.jurisdiction, page_of(request).language) if visit.place else None,
        emergency=country.emergency if country else None,
        contacts=_contacts(contact),
        chart=chart,
        words=room_words(request),
        note_words=note_words(request),
        signing=signing,
        signing_words=licence_words(signing, page_of(request)) if signing else None,
        others={one.id: one.name for one in others},
        age_words=age_words(page_of(request).language),
        error=error,
        step=step,
        typed=typed or planned_form(visit, page_of(request).zone),
        lengths=visits.MINUTES,
        early=visit.early(page_of(request).now),
    )


def planned_form(visit: visits.Visit, zone: ZoneInfo) -> dict[str, str]:
    """What the fields of a visit's time hold, on the reader's clock."""
    there = visit.planned_at.astimezone(zone) if visit.planned_at else None
    return {
        "planned-day": f"{there:%Y-%m-%d}" if there else "",
        "planned-time": f"{there:%H:%M}" if there else "",
        "minutes": str(visit.planned_minutes or 20),
    }


def _contacts(patient: dict[str, Any]) -> list[tuple[str, str]]:
    """The emergency contacts: name and telephone."""
    found = []
    for contact in patient.get("contact", []):
        words = name_of({"name": [contact.get("name", {})]})
        phones = [t["value"] for t in contact.get("telecom", []) if t.get("system") == "phone" and "value" in t]
        found.append((words.strip() or "?", ", ".join(phones) or "–"))
    return found


async def move(request: Request) -> Response:
    """POST: take, invite, hand, plan, cancel, override, noted, unnoted, end."""
    key, step, form = request.path_params["visit"], request.path_params["step"], await request.form()
    said = {name: str(form.get(name, "")) for name in ("reason", "clinician")}
    if step not in MOVED:
        raise Invalid("There is no such step.")
    try:
        async with access.work(ctx_of(request), MOVED[step]) as ctx:
            match step:
                case "take":
                    await visits.take(ctx, key)
                    await visits.invite(ctx, key, request.app.state.settings.public_url)
                case "invite":
                    await visits.invite(ctx, key, request.app.state.settings.public_url)
                case "hand":
                    home = request.app.state.clinic.country
                    await visits.hand(ctx, key, said["clinician"], said["reason"], home=home)
                case "plan":
                    planned = planned_of({**form, "when": "later"}, page_of(request).zone)
                    if planned is not None:
                        await visits.plan(ctx, key, *planned, request.app.state.settings.public_url)
                case "cancel":
                    await visits.cancel(ctx, key, said["reason"])
                case "override":
                    await visits.override(ctx, key, said["reason"])
                case "noted" | "unnoted":
                    await visits.note_change(ctx, key, noted=step == "noted")
                case _:
                    await visits.end(ctx, key)
    except BedsideError as error:
        if error.status not in {400, 409}:
            raise
        again = {name: str(value) for name, value in form.items()} if step == "plan" else None
        return await _desk(request, error, step, again)
    onward = {
        "cancel": "/visits",
        "hand": "/visits",
        "noted": f"/work?noted={key}#visits",
        "unnoted": "/work?again#visits",
    }
    return RedirectResponse(onward.get(step, f"/visits/{key}"), 303)


async def save_note(request: Request) -> Response:
    """POST JSON {text, revision}: what the note-pad typed; answers with the revision kept."""
    body = await request.body()
    try:
        said = orjson.loads(body)
        text, revision = str(said["text"]), int(said["revision"])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        raise Invalid("Send {text, revision}.") from None
    async with access.work(ctx_of(request), "wrote the note") as ctx:
        kept = await visits.notes.save(ctx, request.path_params["visit"], text, revision)
    return JSONResponse({"revision": kept.revision})


async def sign_note(request: Request) -> Response:
    """POST: keep what is in the form, then sign it or amend the signed one. Who you are is asked again."""
    key, form = request.path_params["visit"], await request.form()
    try:
        if "amendment" not in form:
            # Kept before anybody is asked who they are: a wrong password loses nothing that was typed.
            async with access.work(ctx_of(request), "wrote the note") as ctx:
                kept = await visits.notes.read(ctx, key)
                revision = (kept.revision if kept else 0) + 1
                await visits.notes.save(ctx, key, str(form.get("text", "")), revision)
        async with access.work(ctx_of(request), "signed the note") as ctx:
            if "amendment" in form:
                await visits.notes.amend(ctx, key, str(form["amendment"]), proof_of(form))
            else:
                home, reason = request.app.state.clinic.country, str(form.get("licence-reason", ""))
                await visits.notes.sign(ctx, key, proof_of(form), home=home, reason=reason)
    except BedsideError as error:
        if error.status >= 500:
            raise
        if "hx-request" in request.headers:
            return await _note(request, error)
        return await _desk(request, error)
    if "hx-request" in request.headers:
        return await _note(request)
    return RedirectResponse(f"/visits/{key}", 303)


async def _note(request: Request, error: BedsideError | None = None) -> Response:
    """The note's part of the page alone: the call beside it goes on."""
    async with access.work(ctx_of(request), "read the note", readonly=True) as ctx:
        visit = await visits.get(ctx, request.path_params["visit"])
        note = await visits.notes.read(ctx, visit.id)
        signing = await visits.licence_to_sign(ctx, visit.id, home=request.app.state.clinic.country)
    return render(
        request,
        "visit/note.html",
        visit=visit,
        note=note,
        note_words=note_words(request),
        signing=signing,
        signing_words=licence_words(signing, page_of(request)) if signing else None,
        error=error,
        holder=True,
    )


async def live(socket: WebSocket) -> None:
    """The patient's readings and the visit's own steps as they come: audited when opened and when closed."""
    await socket.accept()
    ctx = ctx_of(socket)
    try:
        async with access.work(ctx, "opened the live readings", readonly=True) as inside:
            visit = await visits.get(inside, socket.path_params["visit"])
            await access.authorise(inside, visit.patient, "R", what="reading")
    except BedsideError:
        await socket.close(4403)
        return

    async def tell(moment: dict[str, Any]) -> None:
        with contextlib.suppress(RuntimeError, WebSocketDisconnect):
            await socket.send_text(orjson.dumps(moment).decode())

    async def heard(_: str, payload: bytes) -> None:
        readings = monitoring.live_readings(payload)
        await tell(
            {
                "t": "readings",
                "readings": [
                    {"metric": one.metric, "value": one.value, "device_time": one.device_time} for one in readings
                ],
            }
        )

    async def moved(_: str, moment: Any) -> None:
        if moment.get("t") == "visit":
            await tell(moment)

    subscriptions = [
        await ctx.bus.listen(f"monitoring.live.{ctx.tenant}.{visit.patient}", heard),
        await ctx.bus.subscribe(signal_subject(ctx.tenant, visit.id), moved),
    ]
    try:
        while True:
            await asyncio.wait_for(socket.receive_text(), 30)
            await socket.send_text('{"t":"pong"}')
    except (TimeoutError, WebSocketDisconnect, KeyError, RuntimeError):
        pass
    finally:
        for subscription in subscriptions:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()
        async with access.work(ctx, "closed the live readings", readonly=True) as inside:
            await access.authorise(inside, visit.patient, "R", what="reading")


ROUTES: list[BaseRoute] = [
    Route("/visits", listing),
    Route("/patients/{patient}/visit", ask, methods=["GET", "POST"]),
    Route("/visits/{visit}", desk),
    Route("/visits/{visit}/note", save_note, methods=["POST"]),
    Route("/visits/{visit}/note/sign", sign_note, methods=["POST"]),
    Route("/visits/{visit}/{step}", move, methods=["POST"]),
    WebSocketRoute("/visits/{visit}/live", live),
]
