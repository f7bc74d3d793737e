"""Three NATS servers in a cluster, one of them killed under load: nothing is lost, and no alarm is late."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from nats.errors import Error as NatsError
from tests.monitoring.cluster import Member, Sender, three

from bedside import access, monitoring
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.monitoring import settings
from bedside.monitoring.testing import ingesting

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("patients")]

DEVICES = 9
EVERY = 0.05
BEFORE, AFTER = 4.0, 12.0
"""Seconds of load before the kill and after it."""
MOST_LATE = 10.0


@pytest.fixture
def members(tmp_path: Path) -> Iterator[list[Member]]:
    with three(tmp_path) as made:
        yield made


@pytest.fixture
async def cluster(members: list[Member]) -> AsyncIterator[Bus]:
    bus = await Bus.connect(",".join(one.url for one in members))
    js = bus.client.jetstream(timeout=2)
    until = time.monotonic() + 30
    while True:  # until the three have chosen who leads
        try:
            await js.account_info()
            break
        except (NatsError, TimeoutError):
            assert time.monotonic() < until
            await asyncio.sleep(0.2)
    yield bus
    await bus.close()


async def test_one_of_three_servers_is_killed_under_load(now_ctx: Ctx, members: list[Member], cluster: Bus) -> None:
    settings.use(now_ctx.database, settings.Settings(copies=3))
    ctx = now_ctx.with_(bus=cluster)
    cards: list[tuple[monitoring.DeviceCredentials, str]] = []
    async with access.work(ctx, "added devices") as inner:
        for n in range(DEVICES):
            patient = f"p{n % 3 + 1}"
            cards.append((await monitoring.add_device(inner, monitoring.NewDevice("blood-pressure", patient)), patient))
        await inner.sql.execute(
            """insert into monitoring.profile (tenant, patient, birth_date, changed_at, changed_by)
               select 1, 'p' || n, date '1960-05-01', now(), 'test' from generate_series(1, 3) n"""
        )
    ports = [one.mqtt_port for one in members]
    async with ingesting(ctx, cluster, seed=members[0].login().seed):
        senders = [Sender(card, patient, ports, n) for n, (card, patient) in enumerate(cards)]
        info = await cluster.client.jetstream(timeout=5).stream_info("DEVICES")
        assert info.config.num_replicas == 3
        assert info.cluster is not None
        leader = next(one for one in members if one.name == info.cluster.leader)
        began, high_at = time.monotonic(), 0.0
        while time.monotonic() - began < BEFORE + AFTER:
            gone = time.monotonic() - began - BEFORE
            if gone > 0 and not high_at:
                assert leader.process is not None
                os.kill(leader.process.pid, signal.SIGKILL)
                high_at = time.time()
            for sender in senders:
                sender.measure(196 if high_at else 120 + sender.seq % 7)
                sender.repeat()
            await asyncio.sleep(EVERY)
        until = time.monotonic() + 30
        while any(sender.waiting for sender in senders) and time.monotonic() < until:
            for sender in senders:
                sender.repeat()
            await asyncio.sleep(0.1)
        assert [len(sender.waiting) for sender in senders] == [0] * DEVICES
        for sender in senders:
            sender.client.disconnect()
            sender.client.loop_stop()
    async with ctx.database.transaction() as sql:
        held = await sql.fetch(
            """select d.name, count(*) as readings, count(distinct t) as moments from monitoring.pack p
               join monitoring.device d on d.number = p.device, unnest(p.time) t group by 1"""
        )
        raised = await sql.fetch("select patient, raised_at from monitoring.alarm where priority = 'high'")
    sent = {sender.card.device: sender.seq for sender in senders}
    assert {row["name"]: row["readings"] for row in held} == sent
    assert {row["name"]: row["moments"] for row in held} == sent
    late = {row["patient"]: row["raised_at"].timestamp() - high_at for row in raised}
    print(f"\n{sum(sent.values())} readings, none lost or twice; the leader of the stream killed; alarms after {late}")
    assert late.keys() == {"p1", "p2", "p3"}
    assert len(raised) == 3
    assert max(late.values()) < MOST_LATE
