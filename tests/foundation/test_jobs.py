"""Jobs: with their transaction, again after failure, parked, at their time, once for a key."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any, cast

import pytest

from bedside.foundation import jobs
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock, TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.database import Connection, Database
from bedside.foundation.errors import Unavailable

pytestmark = pytest.mark.engine

Done = asyncio.Queue[dict[str, Any]]


@pytest.fixture
def ask(ctx: Ctx) -> Callable[..., Awaitable[int]]:
    """Enqueue in a transaction of its own, by the machine's clock."""

    async def one(name: str, payload: dict[str, Any], **options: Any) -> int:
        async with ctx.database.transaction() as sql:
            return await jobs.enqueue(ctx.with_(tx=sql, clock=SystemClock()), name, payload, **options)

    return one


@asynccontextmanager
async def working(database: Database, handlers: dict[str, jobs.Handler], **options: Any) -> AsyncIterator[jobs.Worker]:
    """A worker that runs beside the test."""
    worker = jobs.Worker(database, no_bus(), SystemClock(), handlers, first_wait=timedelta(milliseconds=20), **options)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        worker.stop()
        await asyncio.wait_for(task, 30)


async def test_a_job_runs_when_its_transaction_commits_and_never_otherwise(database: Database, ctx: Ctx) -> None:
    done: Done = asyncio.Queue()

    async def note(job: Ctx, payload: dict[str, Any]) -> None:
        await done.put({**payload, "by": job.actor.id, "tenant": job.tenant, "open": job.tx is not None})

    async with working(database, {"tests.note": note}):
        with pytest.raises(RuntimeError, match="undone"):
            async with database.transaction() as sql:
                await jobs.enqueue(ctx.with_(tx=sql), "tests.note", {"n": 1})
                raise RuntimeError("undone")
        async with database.transaction() as sql:
            await jobs.enqueue(ctx.with_(tx=sql, tenant=7), "tests.note", {"n": 2})
            assert done.empty()
        assert await asyncio.wait_for(done.get(), 20) == {"n": 2, "by": "tests.note", "tenant": 7, "open": False}
    assert done.empty()


async def test_a_failure_is_tried_again_then_parked_and_released(
    database: Database, ask: Callable[..., Awaitable[int]]
) -> None:
    tries: asyncio.Queue[int] = asyncio.Queue()
    broken = True

    async def fragile(_: Ctx, payload: dict[str, Any]) -> None:
        await tries.put(payload["n"])
        if broken:
            raise ValueError("Maria Silva, 178/112")

    async with working(database, {"tests.fragile": fragile}, attempts=3):
        await ask("tests.fragile", {"n": 5})
        for _ in range(3):
            assert await asyncio.wait_for(tries.get(), 20) == 5
        async with asyncio.timeout(20):
            while True:
                async with database.connection() as sql:
                    if held := await jobs.parked(sql):
                        break
        assert held[0].name == "tests.fragile"
        assert held[0].why.startswith("ValueError in tests/foundation/test_jobs.py")
        async with database.connection() as sql:
            kept = await sql.fetch("select traceback::text from jobs.pgqueuer_log where traceback is not null")
        assert kept and not any("Maria" in row["traceback"] for row in kept)
        broken = False
        async with database.connection() as sql:
            await jobs.release(sql, [held[0].id])
        assert await asyncio.wait_for(tries.get(), 20) == 5
    async with database.connection() as sql:
        assert await jobs.parked(sql) == []


async def test_a_timer_fires_at_its_time_and_not_before(
    database: Database, ask: Callable[..., Awaitable[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Woken for it: the worker's next look of its own would come too late for whoever waits here."""
    monkeypatch.setattr(jobs, "LOOK", timedelta(hours=1))
    fired: Done = asyncio.Queue()
    clock = SystemClock()

    async def ring(_: Ctx, payload: dict[str, Any]) -> None:
        await fired.put({"at": clock.now(), **payload})

    async with working(database, {"tests.ring": ring}):
        due = clock.now() + timedelta(seconds=0.6)
        await ask("tests.ring", {"n": 1}, at=due)
        rung = await asyncio.wait_for(fired.get(), 20)
    assert rung["at"] >= due


@pytest.mark.parametrize("key", [None, "a"])
async def test_a_timer_asked_for_on_a_slow_line_waits_for_its_time_too(
    database: Database, ctx: Ctx, key: str | None
) -> None:
    """The database's answers are under way for two seconds, as on a busy machine."""
    async with database.transaction() as sql:
        clock = TurnableClock(await sql.fetchval("select clock_timestamp()"))

        class Slow:
            def __getattr__(self, name: str) -> Any:
                return getattr(sql, name)

            async def fetchval(self, *said: Any) -> Any:
                answer = await sql.fetchval(*said)
                clock.turn(timedelta(seconds=2))
                return answer

        due = clock.now() + timedelta(hours=1)
        asked = ctx.with_(tx=cast(Connection, Slow()), clock=clock)
        made = await jobs.enqueue(asked, "tests.ring", {}, at=due, key=key)
        assert await sql.fetchval("select execute_after from jobs.pgqueuer where id = $1", made) >= due


async def test_a_key_makes_one_of_many_that_wait_and_keeps_the_earliest_time(
    database: Database, ask: Callable[..., Awaitable[int]]
) -> None:
    now = SystemClock().now()
    late = await ask("tests.once", {"n": 1}, key="a", at=now + timedelta(hours=1))
    assert await ask("tests.once", {"n": 2}, key="a") == late
    assert await ask("tests.once", {"n": 3}, key="b", at=now + timedelta(hours=1)) != late
    ran: Done = asyncio.Queue()

    async def once(_: Ctx, payload: dict[str, Any]) -> None:
        # Asked for while this one runs: another run, since this one may have looked already.
        if payload["n"] == 1:
            assert await ask("tests.once", {"n": 4}, key="a") != late
        await ran.put(payload)

    async with working(database, {"tests.once": once}):
        assert [(await asyncio.wait_for(ran.get(), 20))["n"] for _ in range(2)] == [1, 4]
    assert ran.empty()


async def test_a_periodic_job_comes_round_whether_or_not_it_fails(database: Database) -> None:
    turns: asyncio.Queue[None] = asyncio.Queue()

    async def sweep(_: Ctx, __: dict[str, Any]) -> None:
        await turns.put(None)
        if turns.qsize() == 1:
            raise RuntimeError("once")

    every = {"tests.sweep": timedelta(milliseconds=100)}
    async with working(database, {"tests.sweep": sweep}, every=every):
        for _ in range(3):
            await asyncio.wait_for(turns.get(), 20)
    async with database.connection() as sql:
        waiting = await sql.fetch("select entrypoint from jobs.pgqueuer where status = 'queued'")
        assert sorted(row["entrypoint"] for row in waiting) == ["jobs.tidy", "tests.sweep"]
        assert await jobs.parked(sql) == []


async def test_a_worker_survives_the_loss_of_its_connection(
    database: Database, ask: Callable[..., Awaitable[int]]
) -> None:
    done: Done = asyncio.Queue()

    async def note(_: Ctx, payload: dict[str, Any]) -> None:
        await done.put(payload)

    async with working(database, {"tests.note": note}):
        await ask("tests.note", {"n": 1})
        await asyncio.wait_for(done.get(), 20)
        async with database.connection() as sql:
            await sql.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        while True:
            with suppress(Unavailable):
                await ask("tests.note", {"n": 2})
                break
        assert await asyncio.wait_for(done.get(), 20) == {"n": 2}


async def test_a_turned_clock_makes_timers_due(database: Database, ctx: Ctx, clock: TurnableClock) -> None:
    done: Done = asyncio.Queue()

    async def note(_: Ctx, payload: dict[str, Any]) -> None:
        await done.put(payload)

    worker = jobs.Worker(database, no_bus(), clock, {"tests.note": note})
    async with database.transaction() as sql:
        await jobs.enqueue(ctx.with_(tx=sql), "tests.note", {"n": 1}, at=clock.now() + timedelta(minutes=5))
    assert await worker.run_due() == 0
    clock.turn(timedelta(minutes=5))
    assert await worker.run_due() == 1
    assert await worker.run_due() == 0


async def test_what_waits_when_the_clock_goes_back_waits_no_longer_than_was_asked(
    database: Database, ask: Callable[..., Awaitable[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked for while the database's clock was two hours ahead."""
    monkeypatch.setattr(jobs, "REIN_IN", 0.2)
    done: Done = asyncio.Queue()

    async def note(_: Ctx, payload: dict[str, Any]) -> None:
        await done.put(payload)

    for n in (1, 2):
        at = SystemClock().now() + timedelta(hours=n - 1)
        job = await ask("tests.note", {"n": n}, at=at)
        async with database.connection() as sql:
            await sql.execute(
                """update jobs.pgqueuer set created = created + interval '2 h',
                   execute_after = execute_after + interval '2 h' where id = $1""",
                job,
            )
    async with working(database, {"tests.note": note}):
        assert await asyncio.wait_for(done.get(), 30) == {"n": 1}
        async with database.connection() as sql:
            # The last of them: the row of the first may stand there until its end is noted.
            left = await sql.fetchval("select execute_after - now() from jobs.pgqueuer where id = $1", job)
    assert timedelta(minutes=55) < left <= timedelta(hours=1)
    assert done.empty()
