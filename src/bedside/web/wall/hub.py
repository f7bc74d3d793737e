"""What all walls of one process share: one subscription to the bus, one memory of the beds, one picture of each tile.

A wall costs little: a change is heard once, read once, drawn once a language, and the same text goes to every screen.
Readings come by the bus as they are stored; alarms are read anew when the bus says that one changed. Every RECONCILE
seconds everything is read again, so that no lost message leaves a frozen picture, and a hub that could not read the
store for ALIVE seconds lets its walls say that they have no data.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

import structlog

from bedside import access, monitoring, records
from bedside.fhir import names
from bedside.foundation.bus import Bus
from bedside.foundation.context import Actor, Ctx, Trail
from bedside.foundation.errors import BedsideError
from bedside.web.wall.bed import Bed
from bedside.web.wall.traces import Traces

GATHER = 0.1
"""Seconds that changes are gathered before they are sent on."""
RECONCILE = 2.0
ALIVE = timedelta(seconds=3)
RESCORE = timedelta(seconds=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger("bedside.wall")


@dataclass(eq=False, slots=True)
class Viewer:
    """One open wall: whom it may show, and what changed since it was last told."""

    patients: frozenset[str]
    more: int = 0
    """How many it may show and has no place for."""
    dirty: set[str] = field(default_factory=set)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    again: bool = False
    """Look again at whom it may show, before its time."""

    def tell(self, patients: Iterable[str]) -> None:
        """These changed."""
        mine = self.patients.intersection(patients)
        if mine:
            self.dirty |= mine
            self.wake.set()


class Hub:
    """See the module. Lives while a wall of this process is open."""

    def __init__(self, ctx: Ctx) -> None:
        # Audited are the walls (opened, patient added, closed); what the hub reads on their behalf is theirs.
        actor = Actor("job", "wall", "the open walls", roles=frozenset({"system"}))
        self._ctx = ctx.with_(actor=actor, purpose="TREAT", tx=None, origin="wall")
        self.beds: dict[str, Bed] = {}
        self._viewers: set[Viewer] = set()
        self._alarms: set[str] = set()
        self._values: set[str] = set()
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._alarmed = asyncio.Event()
        self._lock = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._subscriptions: list[Any] = []
        self._ears: dict[str, list[Any]] = {}
        """By patient: of nobody else's readings a word comes here, however many there are."""
        self._listening = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._read_at: datetime | None = None
        self.off = False
        """Whether alarms from readings are off in this installation."""
        self.deaf = False
        """Whether no readings can come in: the broker or the ingest process is away."""
        self.outages: list[monitoring.Outage] = []
        """What one cause has silenced."""
        self.traces = Traces()

    @property
    def alive(self) -> bool:
        """Whether the store has answered of late: only then may a wall claim to be live."""
        return self._read_at is not None and self.now() - self._read_at < ALIVE

    @property
    def bus(self) -> Bus:
        """The link to NATS."""
        return self._ctx.bus

    def now(self) -> datetime:
        """The server's time."""
        return self._ctx.clock.now()

    async def join(self, viewer: Viewer) -> None:
        """A wall opens; returns when its beds are known."""
        async with self._lock:
            if self._task is None:
                await self._begin()
            await self._load([patient for patient in viewer.patients if patient not in self.beds])
            await self._listen()
            self._viewers.add(viewer)

    async def leave(self, viewer: Viewer) -> None:
        """A wall closes; with the last one the hub forgets everything."""
        async with self._lock:
            self._viewers.discard(viewer)
            watched = frozenset[str]().union(*(one.patients for one in self._viewers))
            for patient in self.beds.keys() - watched:
                del self.beds[patient]
                self.traces.forget(patient)
            if not self._viewers:
                await self._end()

    async def _begin(self) -> None:
        await self._listen()
        self._stopping.clear()
        self._task = asyncio.create_task(self._run())

    async def _listen(self) -> None:
        if not self.bus.connected:
            return
        tenant = self._ctx.tenant
        async with self._listening:
            if not self._subscriptions:
                self._subscriptions = [await self.bus.subscribe(f"monitoring.alarm.{tenant}.*", self._hear_alarm)]
            for patient in self.beds.keys() - self._ears.keys():
                self._ears[patient] = [
                    await self.bus.listen(f"monitoring.live.{tenant}.{patient}", self._hear_readings),
                    await self.bus.listen(f"monitoring.waves.{tenant}.{patient}", self._hear_waves),
                ]
            for patient in self._ears.keys() - self.beds.keys():
                for subscription in self._ears.pop(patient):
                    await subscription.unsubscribe()

    async def _end(self) -> None:
        if self._task is not None:
            # Told, not cancelled: a cancellation that meets the end of a wait may be lost in Python 3.11.
            self._stopping.set()
            self._wake.set()
            await asyncio.wait({self._task}, timeout=5)
            self._task.cancel()
            self._task = None
        for subscription in [*self._subscriptions, *(one for ears in self._ears.values() for one in ears)]:
            with contextlib.suppress(Exception):
                await subscription.unsubscribe()
        self._subscriptions.clear()
        self._ears.clear()
        for waiting in (self._alarms, self._values, self._changed):
            waiting.clear()

    async def _hear_readings(self, subject: str, payload: bytes) -> None:
        patient = subject.rpartition(".")[2]
        bed = self.beds.get(patient)
        if bed is None:
            return
        if not all(bed.take_live(reading) for reading in monitoring.live_readings(payload)):
            self._values.add(patient)
        bed.changed()
        self._changed.add(patient)
        self._wake.set()

    async def _hear_waves(self, subject: str, payload: bytes) -> None:
        patient = subject.rpartition(".")[2]
        bed = self.beds.get(patient)
        if bed is None:
            return
        leads = self.traces.take(patient, payload, self.now())
        if leads != bed.leads:
            bed.leads = leads
            bed.changed()
            self._changed.add(patient)
            self._wake.set()

    async def _hear_alarm(self, subject: str, payload: Any) -> None:
        patient = subject.rpartition(".")[2]
        if patient in self.beds:
            if payload.get("withdrawn"):
                self.beds[patient].forget_points()
                self._values.add(patient)
            self._alarms.add(patient)
            self._alarmed.set()
            self._wake.set()
            return
        for viewer in self._viewers:  # somebody whom no wall shows yet
            viewer.again = True
            viewer.wake.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        next_read = loop.time() + RECONCILE
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), max(next_read - loop.time(), 0.01))
            if self._stopping.is_set():
                return
            self._wake.clear()
            try:
                await self._listen()
                if loop.time() >= next_read:
                    next_read = loop.time() + RECONCILE
                    await self._refresh(list(self.beds), everything=True)
                else:
                    await self._gather()
                    # An alarm is not kept waiting for what else changed: that is read in the next turn.
                    patients = set(self._alarms) or self._values | self._unscored()
                    await self._refresh(patients, everything=False)
                    if self._values:
                        self._wake.set()
            except Exception as error:
                # Whatever it is, the next turn tries again; meanwhile the walls are told nothing, and say so.
                log.warning("the walls could not be refreshed", kind=type(error).__name__)
                await asyncio.sleep(0.5)
                next_read = loop.time()
                continue
            changed, self._changed = self._changed, set()
            for viewer in self._viewers:
                viewer.tell(changed)

    async def _gather(self) -> None:
        """Let changes come together for GATHER seconds, unless one of them is an alarm."""
        if not self._alarms:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._alarmed.wait(), GATHER)
        self._alarmed.clear()

    def _unscored(self) -> set[str]:
        """Whose NEWS2 may have changed: those heard of live, each at most once in RESCORE seconds."""
        now = self.now()
        heard = self._changed & self.beds.keys()
        return {patient for patient in heard if now - (self.beds[patient].scored_at or EPOCH) > RESCORE}

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Ctx]:
        async with self._ctx.database.transaction(readonly=True) as sql:
            yield self._ctx.with_(tx=sql, trail=Trail(), after_commit=[])

    async def _refresh(self, patients: Iterable[str], *, everything: bool) -> None:
        alarms, self._alarms = self._alarms, set()
        values = set(self._values) if everything else self._values & set(patients)
        self._values -= values
        wanted = [patient for patient in patients if patient in self.beds]
        if not wanted and not everything:
            return
        try:
            async with self._reading() as ctx:
                await self._read(ctx, wanted, latest=set(wanted) if everything else values)
        except BaseException:
            self._alarms |= alarms
            self._values |= values
            raise
        if everything:
            self._read_at = self.now()

    async def _read(self, ctx: Ctx, patients: list[str], *, latest: set[str]) -> None:
        self.off = not await monitoring.alarms_on(ctx)
        self.deaf = await monitoring.deaf_since(ctx) is not None
        self.outages = await monitoring.outages(ctx)
        found = await monitoring.alarms(ctx, patients=patients)
        scores = await monitoring.scores(ctx, patients)
        plans = await monitoring.plans(ctx, patients)
        newest = await monitoring.latest(ctx, sorted(latest)) if latest else {}
        for patient in patients:
            bed = self.beds.get(patient)
            if bed is None:  # its last wall closed meanwhile
                continue
            before = bed.content()
            bed.alarms = [alarm for alarm in found if alarm.patient == patient]
            bed.score, bed.plan, bed.scored_at = scores[patient], plans[patient], self.now()
            if patient in newest:
                bed.take_latest(newest[patient])
            await self._past(ctx, bed)
            if bed.content() != before or bed.aged(self.now()):
                bed.changed()
                self._changed.add(patient)

    async def _past(self, ctx: Ctx, bed: Bed) -> None:
        now = self.now()
        for metric in bed.trend_metrics():
            if metric in bed.points:
                continue
            series = await monitoring.series(ctx, bed.patient, metric, now - bed.span_of(metric), now)
            points = [
                (point.device_time, point.value)
                for point in series.points
                if not point.withdrawn and "clock" not in point.flags and not isinstance(point.value, str)
            ]
            bed.set_points(metric, points)

    async def _load(self, patients: list[str]) -> None:
        if not patients:
            return
        async with self._reading() as ctx:
            names = {place.id: place.name for place in await access.places(ctx, closed=True)}
            for patient in patients:
                stays = await access.places_of(ctx, patient)
                bed = Bed(patient, await name_of(ctx, patient))
                if stays:
                    bed.bed, bed.place = stays[0].bed or "", names.get(stays[0].place, "")
                self.beds[patient] = bed
            await self._read(ctx, patients, latest=set(patients))
        self._read_at = self.now()


async def name_of(ctx: Ctx, patient: str) -> str:
    """The patient's name, as the chart has it; a dash when there is none or the record is not there."""
    try:
        return names.name_of(await records.read(ctx, "Patient", patient)) or "–"
    except BedsideError:
        return "–"


_hubs: WeakKeyDictionary[Bus, dict[int, Hub]] = WeakKeyDictionary()


def hub_of(ctx: Ctx) -> Hub:
    """The hub of this process and tenant."""
    by_tenant = _hubs.setdefault(ctx.bus, {})
    if ctx.tenant not in by_tenant:
        by_tenant[ctx.tenant] = Hub(ctx)
    return by_tenant[ctx.tenant]
