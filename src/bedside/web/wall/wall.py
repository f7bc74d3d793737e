"""The wall: a page that shows all beds, and the WebSocket that keeps it true.

Authorised as its session: a display sees the places it is on duty for, a nurse her own. One audit entry when it is
opened, one per patient added later, one when it is closed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
import structlog
from nats.aio.subscription import Subscription
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from bedside import access, monitoring
from bedside.access.events import ended_subject
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Forbidden
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render, text, translator
from bedside.web.wall import words
from bedside.web.wall.bed import Bed
from bedside.web.wall.hub import Hub, Viewer, hub_of
from bedside.web.wall.traces import TURN

BEAT = 1.0
"""Seconds between signs of life. A wall that hears nothing for three and a half says that it has no data."""
RECHECK = 30.0
"""Seconds between looking again at whom this session may see."""
MOST_TILES = 120
"""Of one wall: as many as a screen holds and a browser draws in time. Whoever has an alarm comes first."""

log = structlog.get_logger("bedside.wall")

ROLES = ("nurse", "clinician", "display")


async def patients_for(ctx: Ctx, place: str | None) -> tuple[frozenset[str], int]:
    """Whom this session's wall shows: those watched in the places it may see, or in the one asked for; and how many
    more there are, of whom none has an alarm while others without one are shown.

    Raises Forbidden, SignInNeeded.
    """
    await access.require(ctx, *ROLES)
    visible = await access.visible(ctx, "reading")
    stays = [
        stay.patient
        for one in await access.places(ctx)
        if place is None or one.id == place
        for stay in await access.patients_at(ctx, one.id)
    ]
    alarms = await monitoring.alarms(ctx)
    if place is None:
        # Whoever has an open alarm is shown to who was asked, though no place watches them.
        stays += [alarm.patient for alarm in alarms]
    worst: dict[str, tuple[bool, int]] = {}
    for alarm in alarms:
        worst[alarm.patient] = max(worst.get(alarm.patient, (False, 0)), (alarm.unseen, alarm.rank))
    watched = sorted(set(stays) if visible is None else visible.intersection(stays))
    watched.sort(key=lambda patient: worst.get(patient, (False, 0)), reverse=True)
    shown = watched[:MOST_TILES]
    for patient in shown:
        await access.authorise(ctx, patient, "R", what="reading")
    return frozenset(shown), len(watched) - len(shown)


async def places_for(ctx: Ctx, chosen: str | None) -> list[access.Place]:
    """The wards and programmes that this session can choose: those whose wall shows it somebody, and the chosen."""
    visible = await access.visible(ctx, "reading")
    found = []
    for one in await access.places(ctx):
        stays = {stay.patient for stay in await access.patients_at(ctx, one.id)}
        shows = stays if visible is None else stays & visible
        if one.kind in {"ward", "programme"} and (shows or one.id == chosen):
            found.append(one)
    return found


def in_order(hub: Hub, patients: Iterable[str]) -> list[Bed]:
    """By place and bed, numbers as numbers, then by name."""
    beds = [hub.beds[patient] for patient in patients if patient in hub.beds]
    return sorted(beds, key=lambda bed: (bed.place, not bed.bed.isdigit(), bed.bed.zfill(6), bed.name, bed.patient))


def drawn(connection: HTTPConnection, hub: Hub, bed: Bed) -> str:
    """A tile as HTML, drawn once for all readers of one language and zone."""
    page = page_of(connection)
    key = (page.language, str(page.zone), bed.version)
    if key not in bed.rendered:
        now = hub.now()
        bed.drawn_at = bed.drawn_at or now
        bed.rendered[key] = text(connection, "wall/tile.html", bed=bed, now=now, words=words)
    return bed.rendered[key]


def summary(beds: Iterable[Bed]) -> dict[str, Any]:
    """What the bar says and the speaker plays: counts, the oldest unseen, the worst that is unseen and still stands."""
    alarms = [alarm for bed in beds for alarm in bed.alarms]
    unseen = [alarm for alarm in alarms if alarm.unseen]
    sounding = [alarm for alarm in unseen if alarm.state != "ended"]
    return {
        "open": len(alarms),
        **{name: sum(alarm.priority == name for alarm in alarms) for name in ("high", "medium", "low")},
        "unseen": len(unseen),
        "oldest": min((alarm.raised_at for alarm in unseen), default=None),
        "worst": max(unseen, key=lambda alarm: alarm.rank).priority if unseen else None,
        "sound": max(sounding, key=lambda alarm: alarm.rank).priority if sounding else None,
        "newest": max((alarm.raised_at for alarm in sounding), default=None),
    }


async def page(request: Request) -> Response:
    """The wall as HTML: true when it was sent; the island keeps it so."""
    ctx = ctx_of(request)
    place = request.query_params.get("place")
    async with access.work(ctx, "looked at the wall", readonly=True) as work:
        shown, more = await patients_for(work, place)
        places = await places_for(work, place)
        off = not await monitoring.alarms_on(work)
        deaf = await monitoring.deaf_since(work) is not None
        outages = await monitoring.outages(work)
    hub = hub_of(ctx)
    viewer = Viewer(shown)
    await hub.join(viewer)
    try:
        beds = in_order(hub, shown)
        return render(
            request,
            "wall/wall.html",
            tiles=[(bed, drawn(request, hub, bed)) for bed in beds],
            summary=summary(beds),
            alarms=rail_of(beds),
            rail=request.query_params.get("rail") == "1",
            place=place,
            places=places,
            now=hub.now(),
            off=off,
            deaf=deaf,
            outage=outage_of(request, outages),
            beyond=beyond_of(request, more),
            words=words,
            display="display" in ctx.actor.roles,
        )
    finally:
        await hub.leave(viewer)


def outage_of(connection: HTTPConnection, outages: Sequence[monitoring.Outage]) -> str:
    """What many devices' silence at once is said to be; empty where there is none."""
    _ = translator(page_of(connection).language)
    said = []
    for one in outages:
        where = _("gateway %(name)s") % {"name": one.name} if one.scope == "gateway" else one.name
        said.append(_("%(where)s: %(count)s devices fell silent together.") % {"where": where, "count": one.count})
    if not said:
        return ""
    return " ".join([*said, _("Look after the patients by other means, and see to the network.")])


def beyond_of(connection: HTTPConnection, more: int) -> str:
    """That more patients are watched than the wall shows; empty where it shows all."""
    _ = translator(page_of(connection).language)
    said = _(
        "Watched, and without a place on this wall: %(count)s. Whoever has an alarm comes first; choose a ward or "
        "programme to see the others."
    )
    return said % {"count": more} if more else ""


def rail_of(beds: Iterable[Bed]) -> list[tuple[Bed, Any]]:
    """Every open alarm with its bed: unseen first, worst first, oldest first."""
    found = [(bed, alarm) for bed in beds for alarm in bed.alarms]
    return sorted(found, key=lambda pair: (not pair[1].unseen, -pair[1].rank, pair[1].raised_at))


async def live(socket: WebSocket) -> None:
    """Snapshot at once, then each change within GATHER seconds, and a beat every BEAT seconds."""
    ctx = ctx_of(socket)
    place = socket.query_params.get("place")
    await socket.accept()
    try:
        async with access.work(ctx, "opened the wall") as work:
            shown, more = await patients_for(work, place)
    except BedsideError:
        await socket.close(4401)
        return
    hub, viewer = hub_of(ctx), Viewer(shown, more)
    await hub.join(viewer)
    closed = asyncio.create_task(_until_closed(socket))
    ended = await _when_ended(ctx, viewer)
    drawing = asyncio.create_task(_draw(socket, hub, viewer))
    try:
        await _keep(socket, ctx, hub, viewer, place, closed)
    except (WebSocketDisconnect, RuntimeError, OSError):
        pass  # the screen went away; that is how walls end
    except Forbidden:
        # Said before it is closed: the page leaves at once, and with it what it shows of patients.
        with contextlib.suppress(Exception):
            await socket.send_text(_json({"kind": "ended", "now": hub.now()}))
            await socket.close(4401)
    finally:
        closed.cancel()
        drawing.cancel()
        if ended is not None:
            with contextlib.suppress(Exception):
                await ended.unsubscribe()
        await hub.leave(viewer)
        await _closed(ctx, viewer)


async def _when_ended(ctx: Ctx, viewer: Viewer) -> Subscription | None:
    """Look again at once when this person's sessions end; without NATS that is at the next look."""

    async def heard(*_: Any) -> None:
        viewer.again = True
        viewer.wake.set()

    try:
        return await ctx.bus.subscribe(ended_subject(ctx.tenant, ctx.actor.id), heard)
    except BedsideError:
        return None


async def _closed(ctx: Ctx, viewer: Viewer) -> None:
    """The entry of its end. A process that is going down may not be able to write it any more: it was opened, and no
    later look is on record.
    """
    try:
        async with access.work(ctx, "closed the wall") as work:
            for patient in viewer.patients:
                work.trail.patients.setdefault(patient, set()).add("R")
    except Exception as error:
        log.warning("a wall's end could not be recorded", kind=type(error).__name__)


async def _draw(socket: WebSocket, hub: Hub, viewer: Viewer) -> None:
    """Frames of waveforms, every TURN seconds by the clock, so that walls that show the same share the same bytes.

    The first holds the last seconds; a wall that cannot take them as fast as they come skips turns, and then gets what
    it missed in one, as far back as is kept.
    """
    loop = asyncio.get_running_loop()
    told, patients = 0, viewer.patients
    with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
        while True:
            await asyncio.sleep(TURN - loop.time() % TURN)
            if viewer.patients != patients:
                told, patients = 0, viewer.patients
            upto = hub.traces.upto(round(loop.time() / TURN))
            frame = hub.traces.frame(patients, told, upto, hub.now())
            told = upto
            if frame is not None:
                await socket.send_bytes(frame)


async def _until_closed(socket: WebSocket) -> None:
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await socket.receive_text()


async def _keep(
    socket: WebSocket, ctx: Ctx, hub: Hub, viewer: Viewer, place: str | None, closed: asyncio.Task[None]
) -> None:
    loop = asyncio.get_running_loop()
    await _send_all(socket, hub, viewer)
    next_beat, next_check = loop.time() + BEAT, loop.time() + RECHECK
    while not closed.done():
        waiting = asyncio.create_task(viewer.wake.wait())
        await asyncio.wait(
            {waiting, closed}, timeout=max(next_beat - loop.time(), 0.01), return_when=asyncio.FIRST_COMPLETED
        )
        waiting.cancel()
        if closed.done():
            return
        if viewer.wake.is_set():
            viewer.wake.clear()
            dirty, viewer.dirty = viewer.dirty, set()
            if dirty:
                await _send(socket, hub, viewer, "tiles", in_order(hub, dirty))
        if viewer.again or loop.time() >= next_check:
            viewer.again, next_check = False, loop.time() + RECHECK
            await _recheck(socket, ctx, hub, viewer, place)
        if loop.time() >= next_beat:
            next_beat = loop.time() + BEAT
            beat = {"kind": "beat", "now": hub.now(), "bus": hub.bus.connected, "alive": hub.alive}
            beat |= {"off": hub.off, "deaf": hub.deaf, "outage": outage_of(socket, hub.outages)}
            beat["beyond"] = beyond_of(socket, viewer.more)
            await socket.send_text(_json(beat))


async def _recheck(socket: WebSocket, ctx: Ctx, hub: Hub, viewer: Viewer, place: str | None) -> None:
    """Duties change: whom the wall may show is looked at again. Raises Forbidden when it may show nobody any more."""
    async with access.work(ctx, "looked whom the wall may show", readonly=True) as work:
        await access.require(work, *ROLES)
        session = work.actor.session
        if session is not None and all(one.id != session for one in await access.sessions(work)):
            raise Forbidden("This session has ended.")
        shown, viewer.more = await patients_for(work.with_(trail=type(work.trail)()), place)
    if shown == viewer.patients:
        return
    if added := shown - viewer.patients:
        async with access.work(ctx, "added to the wall") as work:
            for patient in added:
                await access.authorise(work, patient, "R", what="reading")
    await hub.leave(viewer)
    viewer.patients = shown
    await hub.join(viewer)
    await _send_all(socket, hub, viewer)


async def _send_all(socket: WebSocket, hub: Hub, viewer: Viewer) -> None:
    viewer.dirty.clear()
    await _send(socket, hub, viewer, "all", in_order(hub, viewer.patients))


async def _send(socket: WebSocket, hub: Hub, viewer: Viewer, kind: str, beds: list[Bed]) -> None:
    everyone = in_order(hub, viewer.patients)
    message = {
        "kind": kind,
        "now": hub.now(),
        "tiles": [[bed.patient, drawn(socket, hub, bed)] for bed in beds],
        "bar": summary(everyone),
        "rail": text(socket, "wall/rail.html", alarms=rail_of(everyone), words=words),
    }
    await socket.send_text(_json(message))


def _json(message: dict[str, Any]) -> str:
    return orjson.dumps(message, default=_iso).decode()


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(type(value).__name__)


ROUTES: list[BaseRoute] = [Route("/wall", page), WebSocketRoute("/wall/live", live)]
