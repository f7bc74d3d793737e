"""Whose a part of the wire is: one owner at a time, evenly, and never two who write."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import nats.errors
import pytest
from nats.js import JetStreamContext
from nats.js.api import ConsumerConfig
from nats.js.errors import ServiceUnavailableError

from bedside import access, monitoring
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import Unavailable
from bedside.monitoring import service
from bedside.monitoring.ingest import store
from bedside.monitoring.ingest.service import ingest
from bedside.monitoring.ingest.service import shares as shares_module
from bedside.monitoring.ingest.service.answers import Arrival, Land
from bedside.monitoring.ingest.service.ingest import Ingest
from bedside.monitoring.ingest.service.shares import Shares
from bedside.monitoring.ingest.service.wire import EVERY_PART, durable
from bedside.monitoring.series.service.landing import Receipt
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


def shares(ctx: Ctx) -> Shares:
    return Shares(ctx, "TEST")


@pytest.fixture(autouse=True)
async def nobody_else(ctx: Ctx) -> None:
    """The processes of the test before seem to live for some seconds more."""
    async with ctx.database.transaction() as sql:
        await sql.execute("delete from monitoring.share where wire = 'TEST'")
        await sql.execute("delete from monitoring.lander where wire = 'TEST'")


async def owners(ctx: Ctx) -> dict[int, str | None]:
    async with ctx.database.transaction() as sql:
        return dict(await store.shares(sql, "TEST", EVERY_PART))


async def test_the_only_process_has_everything_and_leaves_it_at_once(ctx: Ctx) -> None:
    one, two = shares(ctx), shares(ctx)
    await one.tick()
    assert one.surplus == frozenset()
    assert one.mine == frozenset(EVERY_PART)
    await one.end()
    assert one.mine == frozenset()
    await two.tick()
    assert two.mine == frozenset(EVERY_PART)


async def test_parts_are_shared_out_evenly_and_one_owner_has_each(ctx: Ctx) -> None:
    everyone = [shares(ctx) for _ in range(4)]
    for _ in range(3):
        for one in everyone:
            await one.tick()
            surplus = one.surplus
            await one.give_up(surplus)
    assert sorted(len(one.mine) for one in everyone) == [2, 2, 2, 2]
    assert sorted(part for one in everyone for part in one.mine) == list(EVERY_PART)
    await everyone[0].end()
    for one in everyone[1:]:
        await one.tick()
    assert sorted(len(one.mine) for one in everyone[1:]) == [2, 3, 3]


async def test_a_process_on_another_machine_has_lost_its_parts_after_the_lease(
    ctx: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares_module, "_place", lambda: "another machine")
    away = shares(ctx)
    await away.tick()
    monkeypatch.undo()

    async def unseen(span: timedelta) -> None:
        async with ctx.database.transaction() as sql:
            await sql.execute("update monitoring.lander set seen_at = now() - $1::interval where wire = 'TEST'", span)

    here = shares(ctx)
    await unseen(shares_module.LEASE / 10)
    await here.tick()
    assert here.mine == frozenset()
    await unseen(shares_module.LEASE)
    await here.tick()
    assert here.mine == frozenset(EVERY_PART)
    async with ctx.database.transaction() as sql:
        assert not await away.held(sql, [0])
        assert await here.held(sql, [0, 3])


async def test_a_killed_process_of_this_machine_has_lost_them_at_the_next_look(
    ctx: Ctx, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await asyncio.create_subprocess_exec("/bin/sleep", "60")
    monkeypatch.setattr(os, "getpid", lambda: process.pid)
    dead = shares(ctx)
    monkeypatch.undo()
    await dead.tick()
    here = shares(ctx)
    await here.tick()
    assert here.mine == frozenset()
    process.kill()
    await process.wait()
    await here.tick()
    assert here.mine == frozenset(EVERY_PART)


async def test_a_part_is_not_taken_from_under_a_transaction_of_its_owner(ctx: Ctx) -> None:
    one, two = shares(ctx), shares(ctx)
    await one.tick()
    async with ctx.database.transaction() as sql:
        assert await one.held(sql, [4])
        async with ctx.database.transaction() as other:
            await store.give_up(other, "TEST", (await owners(ctx))[0] or "", [0, 1, 2])
        await two.tick()
        async with ctx.database.transaction() as other:
            taken = await store.take(other, "TEST", str(uuid4()), [], 9)
        assert 4 not in taken
        assert len(taken) == len(EVERY_PART) - 1
    async with ctx.database.transaction() as other:
        assert sorted(await store.take(other, "TEST", str(uuid4()), [], 9)) == list(EVERY_PART)


@pytest.fixture
async def device(ctx: Ctx) -> str:
    async with access.work(ctx, "added a device") as inner:
        return (await monitoring.add_device(inner, monitoring.NewDevice("monitor", "p1"))).device


@pytest.fixture
async def stream(bus: Bus) -> AsyncIterator[None]:
    yield
    await bus.client.jetstream(timeout=20).delete_stream("DEVICES")


@pytest.mark.usefixtures("stream")
async def test_who_lost_a_part_while_asleep_writes_nothing_and_its_heir_does(
    ctx: Ctx, bus: Bus, nats_url: str, database_url: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first holds the messages when its parts are taken; it must neither land nor acknowledge them."""
    link, pool = await Bus.connect(nats_url), await Database.connect(database_url)
    landed: list[str] = []

    def landing(name: str) -> Land:
        async def land(inner: Ctx, arrivals: list[Arrival]) -> Sequence[Receipt]:
            landed.extend([name] * len(arrivals))
            return await service.land(inner, arrivals)

        return land

    now = ctx.with_(clock=SystemClock())
    sleeper = Ingest(now.with_(bus=bus), landing("sleeper"))
    heir = Ingest(now.with_(bus=link, database=pool), landing("heir"))
    stop = asyncio.Event()
    running: list[asyncio.Task[None]] = []
    try:
        await sleeper.start()
        assert sleeper.parts == frozenset(EVERY_PART)
        async with ctx.database.transaction() as sql:
            await sql.execute("update monitoring.share set owner = null where wire = 'DEVICES'")
            await sql.execute("update monitoring.lander set seen_at = now() - interval '1 hour'")
        await heir.start()
        monkeypatch.setattr(ingest, "EVERY", 60.0)  # the sleeper does not look, so only the fence can tell it
        for seq in range(20):
            await bus.publish(
                f"devices.{device}.readings", pack(seq, ("heart-rate", 70, "/min", time.time() + seq / 100))
            )
        running = [asyncio.create_task(one.run(stop)) for one in (sleeper, heir)]
        await until(lambda: heir.landed == 20)
        assert set(landed) == {"heir"}
        assert sleeper.landed == 0
    finally:
        stop.set()
        await asyncio.gather(*running)
        await link.close()
        await pool.close()


@pytest.mark.usefixtures("stream")
async def test_a_process_that_starts_while_the_database_is_away_listens_once_it_is_back(
    ctx: Ctx, bus: Bus, monkeypatch: pytest.MonkeyPatch
) -> None:
    starting = Ingest(ctx.with_(bus=bus, clock=SystemClock()), service.land)
    monkeypatch.setattr(ingest, "EVERY", 0.05)
    real, away = Shares.tick, True

    async def tick(self: Shares) -> None:
        if away:
            raise Unavailable("The database is not answering.", remedy="")
        await real(self)

    monkeypatch.setattr(Shares, "tick", tick)
    stop = asyncio.Event()
    await starting.start()
    assert starting.parts == frozenset()
    running = asyncio.create_task(starting.run(stop))
    try:
        away = False
        await until(lambda: starting.parts == frozenset(EVERY_PART))
    finally:
        stop.set()
        await running


@pytest.mark.parametrize("error", [nats.errors.TimeoutError, ServiceUnavailableError])
@pytest.mark.usefixtures("stream")
async def test_a_consumer_without_a_leader_is_waited_for_and_keeps_no_other_part_waiting(
    ctx: Ctx, bus: Bus, device: str, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    """A cluster that lost a server makes it and says so only once it has a leader. To make it anew each time, as was
    done once, began the choice again and again: a part was deaf for a minute."""
    slow, making = durable(5), JetStreamContext.add_consumer
    ending = JetStreamContext.delete_consumer
    asked, ended = list[str](), list[str]()

    async def add(js: Any, stream: str, config: ConsumerConfig) -> Any:
        made = await making(js, stream, config)
        asked.append(str(config.durable_name))
        if config.durable_name == slow and asked.count(slow) < 3:
            raise error
        return made

    async def delete(js: Any, stream: str, consumer: str) -> bool:
        ended.append(consumer)
        return await ending(js, stream, consumer)

    monkeypatch.setattr(JetStreamContext, "add_consumer", add)
    monkeypatch.setattr(JetStreamContext, "delete_consumer", delete)
    monkeypatch.setattr(ingest, "EVERY", 0.05)
    one = Ingest(ctx.with_(bus=bus, clock=SystemClock()), service.land)
    await one.start()
    assert one.parts == frozenset(EVERY_PART) - {5}
    async with running(one):
        await until(lambda: one.parts == frozenset(EVERY_PART))
        assert asked.count(slow) == 3
        assert ended.count(slow) == 1
        for n in range(64):  # of names that fall into every part
            await bus.publish(f"devices.{device}-{n}.readings", b"no pack")
        await bus.publish(f"devices.{device}.readings", pack(1, ("heart-rate", 70, "/min", time.time())))
        await until(lambda: one.landed == 1)
        async with asyncio.timeout(30):  # each is taken out once it is answered
            while (await bus.client.jetstream().stream_info("DEVICES")).state.messages:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.02)


@pytest.mark.usefixtures("stream")
async def test_a_broker_that_does_not_answer_costs_nobody_a_part_until_it_does_so_for_long(
    ctx: Ctx, bus: Bus, nats_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cluster without a leader answers no one: processes that took their parts from each other meanwhile would make
    every consumer anew. But one whose own way to it is broken leaves them to the rest."""
    link, pool = await Bus.connect(nats_url), await Database.connect(database_url)
    now = ctx.with_(clock=SystemClock())
    monkeypatch.setattr(ingest, "EVERY", 0.05)
    monkeypatch.setattr(shares_module, "LEASE", timedelta(seconds=1.5))
    deaf, heir = Ingest(now.with_(bus=bus), service.land), Ingest(now.with_(bus=link, database=pool), service.land)
    answers = JetStreamContext.stream_info

    async def hangs(js: Any, *args: Any) -> Any:
        if js._nc is bus.client:
            await asyncio.sleep(2)
            raise nats.errors.TimeoutError
        return await answers(js, *args)

    try:
        await deaf.start()
        monkeypatch.setattr(JetStreamContext, "stream_info", hangs)
        async with running(deaf):
            await asyncio.sleep(3.0)  # two leases
            await heir.start()
            assert heir.parts == frozenset()
            assert deaf.parts == frozenset(EVERY_PART)
            monkeypatch.setattr(ingest, "UNANSWERED", 0.2)
            async with running(heir):
                await until(lambda: heir.parts == frozenset(EVERY_PART))
    finally:
        await link.close()
        await pool.close()


@asynccontextmanager
async def running(one: Ingest) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(one.run(stop))
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)


async def until(true: Callable[[], bool], within: float = 30.0) -> None:
    end = time.monotonic() + within
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
