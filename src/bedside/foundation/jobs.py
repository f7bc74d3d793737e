"""The job queue and its timers: pgqueuer's tables in PostgreSQL, so a job stands or falls with what asked for it.

A handler is run at least once and may be run again after a crash: it is idempotent. What fails is tried again with
growing waits, and at last parked, where it is listed and released by a person, never dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any, TypeAlias

import orjson
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.executors import DatabaseRetryEntrypointExecutor
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.models import Job, TracebackRecord
from pgqueuer.domain.settings import DBSettings
from pgqueuer.domain.types import JobId
from pgqueuer.ports.driver import Driver

from bedside.foundation import telemetry
from bedside.foundation.bus import Bus
from bedside.foundation.clock import Clock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Connection, Database
from bedside.foundation.errors import BedsideError
from bedside.foundation.queue_driver import PoolDriver, wake_event

Handler: TypeAlias = Callable[[Ctx, dict[str, Any]], Awaitable[None]]

ATTEMPTS = 8
"""Tries before a job is parked: with waits of 1, 2, 4 … s, after about four minutes."""
HEARTBEAT = timedelta(seconds=10)
"""A job whose worker has not been heard of for so long is taken over by another."""
KEEP_LOG = timedelta(days=14)

log = telemetry.logger("jobs")


@cache
def _builders() -> tuple[QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder]:
    settings = DBSettings(db_schema="jobs")
    return QueryBuilderEnvironment(settings), QueryQueueBuilder(settings), QuerySchedulerBuilder(settings)


class _Queue(Queries):
    """pgqueuer's trigger is silent on updates: without this a retry waits for the next poll."""

    async def retry_job(self, job: Job, delay: timedelta, traceback_record: TracebackRecord | None) -> None:
        await super().retry_job(job, delay, traceback_record)
        await self.wake()

    async def requeue_jobs(self, ids: list[JobId]) -> None:
        await super().requeue_jobs(ids)
        await self.wake()

    async def wake(self) -> None:
        """Have every worker look again, once this transaction has committed."""
        channel = self.qbe.settings.channel
        await self.driver.notify(channel, wake_event(channel))


def _queries(connection: Connection) -> _Queue:
    return _queue(AsyncpgDriver(connection))


def _queue(driver: Driver) -> _Queue:
    environment, queue, schedules = _builders()
    return _Queue(driver, qbe=environment, qbq=queue, qbs=schedules)


async def enqueue(
    ctx: Ctx, name: str, payload: Mapping[str, Any], *, at: datetime | None = None, key: str | None = None
) -> int:
    """Ask for a job in ctx's transaction; its id. It runs after the commit, at `at` or at once; never if it rolls back.

    key: while a job of this name and key waits, no second one is made: that one runs, at the earlier of the two times
    and not before this transaction has committed. A job already running does not count: a new one is made.
    """
    said: dict[str, Any] = {"tenant": ctx.tenant, "at": at, "payload": payload}
    if (trace := telemetry.carried()) is not None:
        said["trace"] = trace
    body = orjson.dumps(said)
    wait = timedelta(0)
    if at is not None:
        # The queue counts from the start of the transaction. The time is read before the database is asked: read after
        # it, the job would run before its time by as long as the answer was under way.
        left = at - ctx.clock.now()
        begun = await ctx.sql.fetchval("select clock_timestamp() - now()")
        wait = max(left + begun, timedelta(0))
    if key is None:
        [made] = await _queries(ctx.sql).enqueue(name, body, execute_after=wait)
        return int(made)
    # update_priority, not skip: it locks the waiting row, so no worker takes it before this transaction's work is seen.
    [made] = await _queries(ctx.sql).enqueue(
        name, body, execute_after=wait, dedupe_key=f"{name}/{ctx.tenant}/{key}", on_conflict="update_priority"
    )
    moved = await ctx.sql.fetchval(
        """update jobs.pgqueuer set execute_after = now() + $2::interval, payload = convert_to(
               jsonb_set(convert_from(payload, 'UTF8')::jsonb, '{at}', $3::text::jsonb)::text, 'UTF8')
           where id = $1 and status = 'queued' and execute_after > now() + $2::interval returning id""",
        made,
        wait,
        orjson.dumps(at).decode(),
    )
    if moved:
        await _queries(ctx.sql).wake()
    return int(made)


@dataclass(frozen=True, slots=True)
class Parked:
    """A job that failed for good and waits for a person. why: the kind of error and where it was raised."""

    id: int
    name: str
    asked: datetime
    why: str


async def parked(connection: Connection) -> list[Parked]:
    """The parking place, newest first, at most 1000."""
    rows = await connection.fetch(
        """
        select q.id, q.entrypoint, q.created,
               (select l.traceback from jobs.pgqueuer_log l
                where l.job_id = q.id and l.traceback is not null order by l.created desc limit 1) as why
        from jobs.pgqueuer q where q.status = 'failed' order by q.created desc limit 1000
        """
    )
    return [Parked(row["id"], row["entrypoint"], row["created"], _why(row["why"])) for row in rows]


async def standing(connection: Connection) -> dict[str, tuple[str, float | None]]:
    """What waits, for /metrics: name to (help, value)."""
    row = await connection.fetchrow(
        """select count(*) filter (where status = 'queued' and execute_after <= now()) as waiting,
                  count(*) filter (where status = 'failed') as parked,
                  extract(epoch from now() - min(execute_after) filter (where status = 'queued')) as oldest
           from jobs.pgqueuer"""
    )
    return {
        "bedside_jobs_waiting": ("Jobs that are due and wait for a worker.", float(row["waiting"])),
        "bedside_jobs_parked": ("Jobs that failed for good and wait for a person.", float(row["parked"])),
        "bedside_jobs_oldest_seconds": (
            "How long the oldest due job has waited.",
            max(0.0, float(row["oldest"])) if row["oldest"] is not None else 0.0,
        ),
    }


async def release(connection: Connection, ids: Sequence[int]) -> None:
    """Send parked jobs back to the queue, to be tried from the start."""
    await _queries(connection).requeue_jobs([JobId(number) for number in ids])


async def rein_in(connection: Connection) -> int:
    """After the database's clock went back: jobs that were asked for in what is now the future would wait for as long
    as it went back, the sweep of alarms among them. They wait as long as was asked for, from now; how many.
    """
    moved = await connection.fetch(
        """update jobs.pgqueuer set execute_after = now() + (execute_after - created), created = now()
           where status = 'queued' and created > now() + $1::interval returning id""",
        WENT_BACK,
    )
    if moved:
        await _queries(connection).wake()
    return len(moved)


def _why(record: Any) -> str:
    loaded = orjson.loads(record) if isinstance(record, str) else record
    return str((loaded or {}).get("exception_message", ""))


async def _tidy(ctx: Ctx, _: dict[str, Any]) -> None:
    """The queue's log is kept for two weeks."""
    async with ctx.database.connection() as sql:
        await sql.execute("delete from jobs.pgqueuer_log where created < now() - $1::interval", KEEP_LOG)


LOOK = timedelta(seconds=5)
"""Between looks for work where nothing woke the worker for it."""
REIN_IN = 5.0
"""Seconds between looks whether the clock went back."""
WENT_BACK = timedelta(seconds=5)


class JobFailed(Exception):
    """What is kept of a handler's error: its kind and place. Its text may hold health data and is not kept."""


class Worker:
    """Runs jobs until it is stopped, through losses of the database.

    handlers: by job name, from the rooms' subscribers. every: names that run by themselves at that period, once in
    the whole installation however many workers there are; a failed turn waits for the next.
    """

    def __init__(
        self,
        database: Database,
        bus: Bus,
        clock: Clock,
        handlers: Mapping[str, Handler],
        *,
        every: Mapping[str, timedelta] | None = None,
        attempts: int = ATTEMPTS,
        first_wait: timedelta = timedelta(seconds=1),
    ) -> None:
        self._database, self._bus, self._clock = database, bus, clock
        self._handlers = {"jobs.tidy": _tidy, **handlers}
        self._every = {"jobs.tidy": timedelta(hours=1), **(every or {})}
        self._attempts, self._first_wait = attempts, first_wait
        self._stopping = asyncio.Event()
        self._manager: QueueManager | None = None
        if unknown := set(self._every) - set(self._handlers):
            raise ValueError(f"no handler for {sorted(unknown)}")

    def stop(self) -> None:
        """Take no more jobs; those under way end first."""
        self._stopping.set()
        if self._manager is not None:
            self._manager.shutdown.set()

    async def run(self) -> None:
        """Until stop. A lost database is waited for."""
        reining = asyncio.create_task(self._reining())
        try:
            await self._run()
        finally:
            reining.cancel()

    async def _reining(self) -> None:
        while not self._stopping.is_set():
            with suppress(Exception):  # the database is away: the queue waits for it too
                async with self._database.transaction() as sql:
                    if moved := await rein_in(sql):
                        log.warning("the database's clock went back: what waits keeps its span", jobs=moved)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), REIN_IN)

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                await self._set_off()
                self._manager = self._registered(PoolDriver(self._database, self._lost))
                if not self._stopping.is_set():
                    await self._manager.run(dequeue_timeout=LOOK, heartbeat_timeout=HEARTBEAT)
            except Exception as error:
                log.warning("the job queue stopped and starts again", exc_info=error)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), 0.5)

    def _lost(self, error: Exception) -> None:
        log.warning("the job queue waits for its database", kind=type(error).__name__)

    def _registered(self, driver: Driver) -> QueueManager:
        manager = QueueManager(_queue(driver))
        retrying = partial(
            DatabaseRetryEntrypointExecutor,
            max_attempts=self._attempts - 1,
            initial_delay=self._first_wait,
            max_delay=timedelta(minutes=5),
        )
        for name in self._handlers:
            manager.entrypoint(name, on_failure="hold", executor_factory=retrying)(self.perform)
        return manager

    async def perform(self, job: Job) -> None:
        """One try of one job. Raises JobFailed."""
        body = orjson.loads(job.payload or b"{}")
        name, tenant = str(job.entrypoint), int(body.get("tenant", 1))
        if name in self._every:
            await self._enqueue_next(name, tenant, self._clock.now() + self._every[name])
        else:
            # Work asked for from now on is not covered by this run.
            async with self._database.connection() as sql:
                await sql.execute(
                    "update jobs.pgqueuer set dedupe_key = null where id = $1 and dedupe_key <> ''", job.id
                )
        with telemetry.continued(body.get("trace")), telemetry.timed("job", name):
            try:
                await self._handlers[name](self._ctx(name, tenant), body.get("payload", {}))
            except Exception as error:
                log.exception("a job failed", job=name, job_id=job.id, attempt=job.attempts + 1)
                if name not in self._every:
                    raise JobFailed(_kind_and_place(error)) from None

    def _ctx(self, name: str, tenant: int) -> Ctx:
        actor = Actor("job", name, name, roles=frozenset({"system"}))
        return Ctx(actor, "HOPERAT", tenant, self._clock, self._database, self._bus, origin=f"job:{name}")

    async def _set_off(self) -> None:
        """Every periodic job waits for its turn; those that already do stay as they are."""
        for name in self._every:
            await self._enqueue_next(name, 1, self._clock.now())

    async def _enqueue_next(self, name: str, tenant: int, at: datetime) -> None:
        async with self._database.transaction() as sql:
            # The run under way gives its key to the next.
            await sql.execute(
                "update jobs.pgqueuer set dedupe_key = null"
                " where entrypoint = $1 and status = 'picked' and dedupe_key is not null",
                name,
            )
            waiting = await sql.fetchval(
                "select exists (select from jobs.pgqueuer where entrypoint = $1 and status = 'queued')", name
            )
            if not waiting:
                await enqueue(self._ctx(name, tenant).with_(tx=sql), name, {}, at=at, key="every")

    async def run_due(self) -> int:
        """Run, once each, the jobs that are due by this worker's clock, and those they ask for; how many ran.

        For tests, with a turned clock, and no worker running. A failure is raised and the job stays.
        """
        ran = 0
        async with self._database.connection() as connection:
            queries = _queries(connection)
            while True:
                rows = await connection.fetch(
                    "select * from jobs.pgqueuer where status = 'queued' and entrypoint = any($1) order by id",
                    list(self._handlers),
                )
                jobs = [Job.model_validate(dict(row)) for row in rows]
                due = [job for job in jobs if self._due(job)]
                if not due:
                    return ran
                for job in due:
                    await self.perform(job)
                    await queries.log_jobs([(job, "successful", None)])
                    ran += 1

    def _due(self, job: Job) -> bool:
        at = orjson.loads(job.payload or b"{}").get("at")
        return at is None or datetime.fromisoformat(at) <= self._clock.now()


def _kind_and_place(error: BaseException) -> str:
    """`KeyError in alarms/service.py:41 escalate`, and the message of our own errors, which never hold health data."""
    words = [type(error).__name__, telemetry.place(error)]
    if isinstance(error, BedsideError):
        words.append(error.message)
    return " ".join(words)
