"""Stays replayed through the wire, at a multiple of real time: published as devices publish, landed and judged by an
ingest process whose clock runs that fast, read each hour as a nurse reads them.

One machine cannot run its broker that fast, so when the broker had a message is told in the replay's time too.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta

import orjson
import pytest
from nats.aio.msg import Msg
from tests.monitoring.icu import Stay

from bedside import access
from bedside.foundation.bus import Bus
from bedside.foundation.clock import Clock, TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.database import Connection
from bedside.foundation.engines import Nats
from bedside.monitoring.alarms.service import views
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.ingest.service import ingest, lane
from bedside.monitoring.testing import ingesting, pack

ADMITTED = datetime(2026, 11, 20, tzinfo=UTC)
UNITS = {"heart-rate": "/min", "respiratory-rate": "/min", "spo2": "%", "temperature": "Cel", "systolic": "mm[Hg]"}
UNITS |= {"oxygen": "L/min"}
ANSWERED = 60.0
"""Seconds within which every pack of an hour is to be acknowledged."""


class RunningClock:
    """Runs `speed` times as fast as the machine's, from ADMITTED on."""

    def __init__(self, speed: float) -> None:
        self._speed, self._began = speed, time.monotonic()

    def now(self) -> datetime:
        return ADMITTED + timedelta(seconds=(time.monotonic() - self._began) * self._speed)

    async def reach(self, at: datetime) -> None:
        """Wait until it is so late."""
        await asyncio.sleep(max((at - self.now()).total_seconds() / self._speed, 0))


class SteppedClock(TurnableClock):
    """Stands at the moment of what is replayed: as fast as the machine can."""

    async def reach(self, at: datetime) -> None:
        self.turn(max(at - self.now(), timedelta(0)))


@contextmanager
def stamped_by(clock: Clock) -> Iterator[None]:
    """The broker's stamps in that clock's time."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (ingest, lane):
            patch.setattr(module, "received", lambda message: _stamp(message, clock))
        yield


def _stamp(message: Msg, clock: Clock) -> int:
    # As published: the same each time that it is handed out.
    return int((message.headers or {}).get("replayed", microseconds(clock.now())))


async def admit(sql: Connection, stays: Sequence[Stay]) -> None:
    """Each a patient of their age, with a bedside chart that publishes."""
    names = [one.id for one in stays]
    await sql.execute(
        """with made as (
               insert into monitoring.device (tenant, name, kind, source, created_at)
               select 1, 'd' || id, 'heart-rate', 'device', $2 from unnest($1::text[]) as u (id) returning number, name
           ), heads as (insert into monitoring.head (device) select number from made)
           insert into monitoring.assignment (tenant, device, patient, during, made_at)
           select 1, number, replace(name, 'd', 'p'), '[2000-01-01,)', $2 from made""",
        *(names, ADMITTED),
    )
    births = [date(ADMITTED.year - one.age, 1, 1) for one in stays]
    await sql.execute(
        """insert into monitoring.profile (tenant, patient, birth_date, changed_at, changed_by)
           select 1, 'p' || id, born, $3, 'replay' from unnest($1::text[], $2::date[]) as u (id, born)""",
        *(names, births, ADMITTED),
    )


class Replay:
    """wrong: (stay, hour, the oracle's score, Bedside's). counted: scores by their total, or why there was none."""

    def __init__(
        self, ctx: Ctx, bus: Bus, nats: Nats, stays: Sequence[Stay], clock: RunningClock | SteppedClock
    ) -> None:
        self.wrong: list[tuple[str, int, int | str, int | str]] = []
        self.counted: Counter[int | str] = Counter()
        self.refused: Counter[str] = Counter()
        self.readings = 0
        self.behind = timedelta(0)
        self._ctx, self._bus, self._nats = ctx.with_(clock=clock, bus=bus), bus, nats
        self._stays, self._clock = stays, clock
        self._waiting: set[tuple[str, int]] = set()
        self._idle = asyncio.Event()

    async def run(self, hours: int) -> None:
        """The first hours of every stay."""
        async with self._ctx.database.transaction() as sql:
            await admit(sql, self._stays)
        moments: dict[int, list[Stay]] = defaultdict(list)
        for one in self._stays:
            for minute, observed in one.charted.items():
                if observed and minute <= 60 * hours:
                    moments[minute].append(one)
        answers = await self._bus.client.subscribe("devices.*.acks", cb=self._answered)
        try:
            with stamped_by(self._clock):
                async with ingesting(self._ctx, self._bus, seed=self._nats.login().seed):
                    for minute in sorted({*moments, *range(60, 60 * hours + 1, 60)}):
                        await self._clock.reach(ADMITTED + timedelta(minutes=minute))
                        for one in moments[minute]:
                            await self._publish(one, minute)
                        if minute % 60 == 0 and minute:
                            await self._compare(minute // 60)
        finally:
            await answers.unsubscribe()
            js = self._bus.client.jetstream(timeout=20)
            await js.delete_stream("DEVICES")
            await js.delete_stream("WAVEFORMS")

    async def alarmed(self) -> set[str]:
        """The stays in which a NEWS2 of 7 or more raised its alarm."""
        async with access.work(self._ctx, "looked", readonly=True) as ctx:
            found = await views.alarms(ctx, open_only=False, limit=100_000)
        return {one.patient[1:] for one in found if one.cause == "news2" and one.priority == "high"}

    async def _publish(self, stay: Stay, minute: int) -> None:
        at = ADMITTED + timedelta(minutes=minute)
        self.behind = max(self.behind, self._clock.now() - at)
        observed = stay.charted[minute]
        self.readings += len(observed)
        self._waiting.add((f"d{stay.id}", minute))
        self._idle.clear()
        payload = pack(minute, *((name, value, UNITS.get(name), at.timestamp()) for name, value in observed.items()))
        stamp = str(microseconds(self._clock.now()))
        await self._bus.client.publish(f"devices.d{stay.id}.readings", payload, headers={"replayed": stamp})

    async def _answered(self, message: Msg) -> None:
        said = orjson.loads(message.data)
        self.refused.update(one["reason"] for one in said["refused"])
        self._waiting.discard((message.subject.split(".")[1], said["seq"]))
        if not self._waiting:
            self._idle.set()

    async def _compare(self, hour: int) -> None:
        """Every score of the hour, once all that was published is acknowledged."""
        await self._bus.client.flush()
        if self._waiting:
            await asyncio.wait_for(self._idle.wait(), ANSWERED)
        then = self._ctx.with_(clock=TurnableClock(ADMITTED + timedelta(hours=hour)))
        async with access.work(then, "looked", readonly=True) as ctx:
            scores = await views.scores(ctx, [f"p{one.id}" for one in self._stays])
        for one in self._stays:
            found = scores[f"p{one.id}"]
            ours = found.status if found.total is None else found.total
            wanted = one.news2(60 * hour)
            self.counted[wanted] += 1
            if ours != wanted:
                self.wrong.append((one.id, hour, wanted, ours))
