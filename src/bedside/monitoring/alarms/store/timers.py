"""SQL of timers and hours. A timer is a row; the job that wakes it only comes by to look."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.alarms.model import Opening


@dataclass(frozen=True, slots=True)
class Timer:
    """kind: escalate, return, recheck, delay, pause (alarm set) or silence (patient and device set)."""

    id: str
    tenant: int
    kind: str
    alarm: str | None
    patient: str | None
    device: str | None
    due: datetime


def _timer(row: Any) -> Timer:
    return Timer(**dict(row))


COLUMNS = "id, tenant, kind, alarm, patient, device, due"


async def arm(
    sql: Connection,
    tenant: int,
    *,
    id: str,
    kind: str,
    due: datetime,
    alarm: str | None = None,
    patient: str | None = None,
    device: str | None = None,
) -> bool:
    """Set a timer; False when one of its kind already runs for this alarm or device."""
    made = await sql.fetchval(
        """
        insert into monitoring.timer (id, tenant, kind, alarm, patient, device, due)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning id
        """,
        id,
        tenant,
        kind,
        alarm,
        patient,
        device,
        due,
    )
    return made is not None


async def disarm(sql: Connection, tenant: int, alarm: str, kinds: Collection[str], *, at: datetime) -> None:
    """End an alarm's timers of these kinds."""
    await sql.execute(
        """
        update monitoring.timer set done_at = $4
        where tenant = $1 and alarm = $2 and kind = any($3) and done_at is null
        """,
        tenant,
        alarm,
        list(kinds),
        at,
    )


async def look(sql: Connection, id: str) -> Timer | None:
    """The timer, if it still runs; not locked."""
    row = await sql.fetchrow(
        f"select {COLUMNS} from monitoring.timer where id = $1 and done_at is null",  # noqa: S608
        id,
    )
    return None if row is None else _timer(row)


async def take(sql: Connection, id: str) -> Timer | None:
    """The timer, locked, if it still runs."""
    row = await sql.fetchrow(
        f"select {COLUMNS} from monitoring.timer where id = $1 and done_at is null for update",  # noqa: S608
        id,
    )
    return None if row is None else _timer(row)


async def done(sql: Connection, id: str, at: datetime) -> None:
    """It rang."""
    await sql.execute("update monitoring.timer set done_at = $2 where id = $1", id, at)


async def put_off(sql: Connection, id: str, due: datetime) -> None:
    """It shall ring later."""
    await sql.execute("update monitoring.timer set due = $2 where id = $1", id, due)


async def overdue(sql: Connection, at: datetime, limit: int) -> list[Timer]:
    """Those whose time has come, of every tenant, most overdue first."""
    rows = await sql.fetch(
        f"select {COLUMNS} from monitoring.timer where done_at is null and due <= $1 order by due limit $2",  # noqa: S608
        at,
        limit,
    )
    return [_timer(row) for row in rows]


async def beat(sql: Connection, at: datetime, away: timedelta, back: timedelta) -> timedelta | None:
    """The sweep came round. After a gap longer than `away` Bedside counts as awake only from now on.

    Where the clock went back by more than `back`, and the database's with it (one machine of several that is behind
    moves nothing), every running timer is moved as far, so that nobody waits longer than was promised; how far.
    """
    went = await sql.fetchval(
        """
        select p.beat - $1 from monitoring.pulse p
        where p.beat - $1 > $2::interval
          and clock_timestamp() between $1 - $2::interval and $1 + $2::interval
        for update
        """,
        at,
        back,
    )
    if went is not None:
        await sql.execute("update monitoring.timer set due = due - $1::interval where done_at is null", went)
    await sql.execute(
        """
        insert into monitoring.pulse as p (beat, awake_since) values ($1, $1)
        on conflict (id) do update set beat = $1,
            awake_since = case when $1 - p.beat > $2::interval then $1 else least(p.awake_since, $1) end
        """,
        at,
        away,
    )
    moved: timedelta | None = went
    return moved


async def awake_since(sql: Connection) -> datetime | None:
    """Since when Bedside has been awake without a gap."""
    found: datetime | None = await sql.fetchval("select awake_since from monitoring.pulse")
    return found


async def hours(sql: Connection, tenant: int, places: Collection[str]) -> list[Opening]:
    """The openings of these places."""
    rows = await sql.fetch(
        """
        select place, weekday, opens, closes, zone from monitoring.hours
        where tenant = $1 and place = any($2) order by place, weekday, opens
        """,
        tenant,
        list(places),
    )
    return [Opening(**dict(row)) for row in rows]


async def put_hours(sql: Connection, tenant: int, place: str, openings: Sequence[Opening]) -> None:
    """Replace a place's openings."""
    await sql.execute("delete from monitoring.hours where tenant = $1 and place = $2", tenant, place)
    await sql.executemany(
        "insert into monitoring.hours (tenant, place, weekday, opens, closes, zone) values ($1, $2, $3, $4, $5, $6)",
        [(tenant, place, one.weekday, one.opens, one.closes, one.zone) for one in openings],
    )
