"""What a restore proves before it lets a home start: the audit's chain, the tables' rows, the pages' checksums."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bedside import access
from bedside.app.console import operator
from bedside.foundation.backup import moving, restore, settings
from bedside.foundation.backup.restore import Plan, Step
from bedside.foundation.backup.rows import rows, rows_at
from bedside.foundation.engines import Postgres
from bedside.foundation.errors import BedsideError, Unprocessable
from bedside.foundation.home import Home
from bedside.foundation.migrate import standing
from bedside.foundation.settings import Settings

COUNTED = 0.5
"""Of the rows that a table had soon after its base: with fewer, a person is told. Queues empty, readings are packed."""


@dataclass(slots=True)
class Restored:
    """What came back. newest: time of the last commit. counts: table to (rows then, rows now)."""

    until: datetime
    newest: datetime | None = None
    seconds: float = 0.0
    size: int = 0
    plain: int = 0
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    audit: access.AuditReport = field(default_factory=access.AuditReport)
    put_aside: int = 0
    """Signed heads of the audit from after the moment, put aside."""
    migrations: int = 0
    """That this Bedside adds at its first start."""
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def restore_home(home: Home, plan: Plan, step: Step, *, drill: bool = False, database: str | None = None) -> Restored:
    """Restore into an empty home and look at what came back. drill: it is thrown away, so nothing is written to it.
    database: the URL of an empty one that others run, into which the clinic's goes; the home then holds none.

    From the main thread. Raises BedsideError; then the home stays marked and nothing starts on it.
    """
    begun = time.monotonic()
    done = Restored(plan.until, size=plan.size, plain=plan.plain)
    if database is not None:
        if plan.last.kind == "files":
            raise Unprocessable(
                "This backup holds no database, only the home's files.", remedy="Leave --database-url away."
            )
        asyncio.run(moving.refuse_full(database))
    with restore.taken(home, plan):
        restore.lay_down(home, plan, step)
        if plan.last.kind != "files":
            with restore.played_back(home, plan, step) as (postgres, newest):
                done.newest = newest
                step("Checking", 0, 1)
                asyncio.run(_look(home, postgres, plan, done, drill=drill))
                if database is not None:
                    step("Bringing it there", 0, 1)
                    moving.move(postgres, database)
                    asyncio.run(_compare(home, postgres, database, plan, done))
            if faults := restore.page_faults(home):
                done.problems.append(f"Pages of the database are damaged: {faults}")
        if database is not None and not done.problems:
            shutil.rmtree(home.path / "postgres")
        done.seconds = time.monotonic() - begun
        if not done.problems or not drill:
            restore.complete(home)
    return done


async def _look(home: Home, postgres: Postgres, plan: Plan, done: Restored, *, drill: bool) -> None:
    where = Settings(home.path, postgres.dsn(), "", demo=plan.last.demo)
    async with operator(where) as ctx:
        done.put_aside = await access.trim_heads(ctx.database, home.path, ctx.clock)
        async with ctx.database.connection() as sql:
            done.migrations = (await standing(sql)).missing
        if not drill:
            async with access.work(ctx, "restored the installation from a backup") as inner:
                inner.trail.wrote = True
                inner.trail.entities.append(f"backup/{plan.last.line}/{plan.last.id}")
            await access.seal_audit(ctx.database, home.path, ctx.clock)
        done.audit = await access.verify_audit(ctx.database, home.path, ctx.clock)
        done.problems += [f"The audit is not whole: {each}" for each in done.audit.problems]
    there = rows(postgres)
    for table, then in plan.last.counts.items():
        now = there.get(table)
        if now is None:
            if there:
                done.problems.append(f"The table {table} is missing.")
            continue
        done.counts[table] = (then, now)
        if not table.startswith("jobs.") and now < then * COUNTED:
            done.notes.append(f"Note: {table} has {now} rows; soon after the base it had {then}.")


async def _compare(home: Home, postgres: Postgres, database: str, plan: Plan, done: Restored) -> None:
    """Whether all of it went over: every table's rows, and the audit's chain as it stands there."""
    await moving.settle(database)
    here, there = await rows_at(postgres.dsn()), await rows_at(database)
    done.problems += [
        f"The table {table} has {there.get(table, 0)} rows there and {many} here."
        for table, many in here.items()
        if there.get(table) != many
    ]
    async with operator(Settings(home.path, database, "", demo=plan.last.demo)) as ctx:
        done.audit = await access.verify_audit(ctx.database, home.path, ctx.clock)
    done.problems += [f"The audit is not whole there: {each}" for each in done.audit.problems]


def drill(home: Path, plan: Plan, step: Step, place: Path | None) -> tuple[settings.Drill, Restored | None]:
    """Restore a backup into a folder of its own, look at it, throw it away; what came of it is kept for doctor."""
    begun, words = time.monotonic(), list[str]()
    restored: Restored | None = None
    with tempfile.TemporaryDirectory(prefix="bedside-drill-", dir=place) as folder:
        try:
            restored = restore_home(Home(Path(folder) / "home"), plan, step, drill=True)
            words = restored.problems
        except BedsideError as error:
            words = [error.message]
    made = settings.Drill(
        datetime.now(UTC), not words, plan.last.id, plan.until, time.monotonic() - begun, plan.plain, words
    )
    settings.put(home, made)
    return made, restored
