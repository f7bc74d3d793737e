"""SQL of alarms and their history."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.alarms.model import Alarm, AlarmEvent, Delay

COLUMNS = (
    "id, patient, episode, cause, priority, state, finding, raised_at, measured_at, breach_at, ended_at, step, asked,"
    " holder, holder_name, acknowledged_at, acted_at, closed_at, nobody, pending_until, delays,"
    " paused_until, paused_reason"
)


def _alarm(row: Any, events: tuple[AlarmEvent, ...] = ()) -> Alarm:
    fields = dict(row)
    fields["asked"] = tuple(fields["asked"])
    fields["delays"] = delays_of(fields["delays"])
    return Alarm(**fields, events=events)


def delays_of(found: Mapping[str, Any]) -> dict[str, Delay]:
    """From the column of that name."""
    return {
        rule: Delay(datetime.fromisoformat(since), datetime.fromisoformat(at), seconds)
        for rule, (since, at, seconds) in found.items()
    }


def packed_delays(delays: Mapping[str, Delay]) -> dict[str, Any]:
    """As the column keeps them."""
    return {rule: [one.since.isoformat(), one.at.isoformat(), one.seconds] for rule, one in delays.items()}


async def held(sql: Connection, tenant: int, person: str) -> list[str]:
    """The open alarms that somebody holds, the oldest first."""
    rows = await sql.fetch(
        """select id from monitoring.alarm where tenant = $1 and holder = $2 and closed_at is null
        and state in ('acknowledged', 'acted', 'paused') order by raised_at, id""",
        tenant,
        person,
    )
    return [row["id"] for row in rows]


async def count_open(sql: Connection, tenant: int, patients: Collection[str]) -> int:
    """How many alarms of these patients are open."""
    found: int = await sql.fetchval(
        "select count(*) from monitoring.alarm where tenant = $1 and patient = any($2) and closed_at is null",
        tenant,
        list(patients),
    )
    return found


async def insert(sql: Connection, tenant: int, alarm: Alarm) -> None:
    """A new alarm."""
    await sql.execute(
        """
        insert into monitoring.alarm
            (id, tenant, patient, episode, cause, priority, state, finding, raised_at, measured_at, breach_at, ended_at,
             pending_until, delays)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
        """,
        alarm.id,
        tenant,
        alarm.patient,
        alarm.episode,
        alarm.cause,
        alarm.priority,
        alarm.state,
        alarm.finding,
        alarm.raised_at,
        alarm.measured_at,
        alarm.breach_at,
        alarm.ended_at,
        alarm.pending_until,
        packed_delays(alarm.delays),
    )


async def change(sql: Connection, tenant: int, id: str, **columns: Any) -> None:
    """Set columns of one alarm; the names come from this room's code alone."""
    names = list(columns)
    settings = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, 3))
    await sql.execute(
        f"update monitoring.alarm set {settings} where tenant = $1 and id = $2",  # noqa: S608 - names are ours
        tenant,
        id,
        *columns.values(),
    )


async def continued(sql: Connection, tenant: int, id: str, breach_at: datetime) -> None:
    """Still outside its limits, as of this device time."""
    await sql.execute(
        "update monitoring.alarm set breach_at = greatest(breach_at, $3) where tenant = $1 and id = $2",
        tenant,
        id,
        breach_at,
    )


async def log(
    sql: Connection,
    tenant: int,
    alarm: str,
    *,
    at: datetime,
    event: str,
    before: str,
    state: str,
    person: str | None,
    person_name: str | None,
    note: str,
    data: dict[str, Any],
) -> None:
    """One line of history."""
    await sql.execute(
        """
        insert into monitoring.alarm_event (tenant, alarm, at, event, before, state, person, person_name, note, data)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        tenant,
        alarm,
        at,
        event,
        before,
        state,
        person,
        person_name,
        note,
        data,
    )


async def one(sql: Connection, tenant: int, id: str, *, lock: bool = False) -> Alarm | None:
    """One alarm without its history; lock: against everybody else until the transaction ends."""
    row = await sql.fetchrow(
        f"select {COLUMNS} from monitoring.alarm where tenant = $1 and id = $2{' for update' if lock else ''}",  # noqa: S608
        tenant,
        id,
    )
    return None if row is None else _alarm(row)


async def history(sql: Connection, tenant: int, id: str) -> tuple[AlarmEvent, ...]:
    """Every line, oldest first."""
    rows = await sql.fetch(
        """
        select at, event, state, person, person_name, note, data from monitoring.alarm_event
        where tenant = $1 and alarm = $2 order by n
        """,
        tenant,
        id,
    )
    return tuple(AlarmEvent(**dict(row)) for row in rows)


async def whole(sql: Connection, tenant: int, ids: Collection[str]) -> list[Alarm]:
    """These alarms, each with its history; those that do not exist are left out."""
    rows = await sql.fetch(
        f"select {COLUMNS} from monitoring.alarm where tenant = $1 and id = any($2)",  # noqa: S608
        tenant,
        list(ids),
    )
    lines = await sql.fetch(
        """
        select alarm, at, event, state, person, person_name, note, data from monitoring.alarm_event
        where tenant = $1 and alarm = any($2) order by n
        """,
        tenant,
        list(ids),
    )
    events: dict[str, list[AlarmEvent]] = {row["id"]: [] for row in rows}
    for line in lines:
        fields = dict(line)
        events[fields.pop("alarm")].append(AlarmEvent(**fields))
    return [_alarm(row, tuple(events[row["id"]])) for row in rows]


async def last_event(sql: Connection, tenant: int, id: str) -> Any:
    """Columns at, event, before, person of the newest line."""
    return await sql.fetchrow(
        """
        select at, event, before, person from monitoring.alarm_event
        where tenant = $1 and alarm = $2 order by n desc limit 1
        """,
        tenant,
        id,
    )


async def many(
    sql: Connection,
    tenant: int,
    *,
    patients: Collection[str] | None,
    open_only: bool,
    limit: int | None,
    raised: bool = True,
) -> list[Alarm]:
    """Alarms of these patients (None: of all), newest first; limit None: all of them.

    raised False: those that were over within their delay instead, of which nobody was told.
    """
    rows = await sql.fetch(
        f"""
        select {COLUMNS} from monitoring.alarm
        where tenant = $1 and ($2::text[] is null or patient = any($2)) and (not $3 or closed_at is null)
          and case when $5 then pending_until is null else state = 'passed' end
        order by raised_at desc limit $4
        """,  # noqa: S608
        tenant,
        None if patients is None else list(patients),
        open_only,
        limit,
        raised,
    )
    return [_alarm(row) for row in rows]


async def open_of(sql: Connection, tenant: int, patient: str, cause: str) -> Alarm | None:
    """The open alarm of a cause, locked."""
    row = await sql.fetchrow(
        f"select {COLUMNS} from monitoring.alarm"  # noqa: S608
        " where tenant = $1 and patient = $2 and cause = $3 and closed_at is null for update",
        tenant,
        patient,
        cause,
    )
    return None if row is None else _alarm(row)


async def passed(sql: Connection, tenant: int, patient: str, cause: str, since: datetime) -> int:
    """How often a cause was over within its delay since then."""
    found: int = await sql.fetchval(
        "select count(*) from monitoring.alarm where tenant = $1 and patient = $2 and cause = $3 and state = 'passed'"
        " and raised_at >= $4",
        *(tenant, patient, cause, since),
    )
    return found


async def resting_on(sql: Connection, tenant: int, patient: str, reading: str) -> list[Alarm]:
    """The open alarms among whose inputs a reading is."""
    rows = await sql.fetch(
        f"""
        select {COLUMNS} from monitoring.alarm
        where tenant = $1 and patient = $2 and closed_at is null
          and finding -> 'inputs' @> jsonb_build_array(jsonb_build_object('id', $3::text))
        for update
        """,  # noqa: S608
        tenant,
        patient,
        reading,
    )
    return [_alarm(row) for row in rows]
