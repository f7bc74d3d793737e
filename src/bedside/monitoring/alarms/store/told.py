"""What people at home were told of alarms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.alarms.model import Alarm, Kind, Told


async def insert(
    sql: Connection, tenant: int, alarm: Alarm, person: str, kind: Kind, at: datetime, notice: str | None
) -> None:
    """Keep it; one that is there stays."""
    await sql.execute(
        """insert into monitoring.told (tenant, alarm, person, patient, kind, cause, at, notice)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing""",
        tenant,
        alarm.id,
        person,
        alarm.patient,
        kind,
        alarm.cause,
        at,
        notice,
    )


async def knows(
    sql: Connection,
    tenant: int,
    alarm: Alarm,
    person: str,
    kinds: Sequence[Kind],
    *,
    unread_since: datetime,
    same_since: datetime,
) -> bool:
    """Whether a notice of one of these kinds waits to be read since then, or one of this very cause was sent since."""
    return bool(
        await sql.fetchval(
            """select exists (select from monitoring.told where tenant = $1 and person = $2 and patient = $3
            and kind = any($4) and notice is not null
            and ((read_at is null and at > $5) or (cause = $6 and at > $7) or alarm = $8))""",
            tenant,
            person,
            alarm.patient,
            list(kinds),
            unread_since,
            alarm.cause,
            same_since,
            alarm.id,
        )
    )


async def of_alarm(sql: Connection, tenant: int, alarm: str) -> list[Any]:
    """Who was told of an alarm: person, kind, notice, read_at; locked."""
    return list(
        await sql.fetch(
            """select person, kind, notice, read_at from monitoring.told where tenant = $1 and alarm = $2
            order by person for update""",
            tenant,
            alarm,
        )
    )


async def drop(sql: Connection, tenant: int, alarm: str, person: str) -> None:
    """They have nothing to read about it."""
    await sql.execute(
        "delete from monitoring.told where tenant = $1 and alarm = $2 and person = $3", tenant, alarm, person
    )


async def hand_on(sql: Connection, tenant: int, alarm: Alarm, person: str, kind: str, notice: str) -> bool:
    """A notice stands for another alarm that was told under it; False when it stood for this one alone."""
    shared = await sql.fetchval(
        "select exists (select from monitoring.told where tenant = $1 and notice = $2 and alarm <> $3)",
        tenant,
        notice,
        alarm.id,
    )
    if shared:
        return True
    moved = await sql.fetchval(
        """update monitoring.told set notice = $5 where tenant = $1 and person = $2 and alarm = (
            select alarm from monitoring.told where tenant = $1 and person = $2 and patient = $3 and kind = $4
            and notice is null and read_at is null and alarm <> $6 order by at desc limit 1) returning alarm""",
        tenant,
        person,
        alarm.patient,
        kind,
        notice,
        alarm.id,
    )
    return moved is not None


async def of_person(sql: Connection, tenant: int, person: str, patient: str, since: datetime) -> list[Told]:
    """What somebody was told of a patient's alarms, unread ones first, the newest first."""
    rows = await sql.fetch(
        """select t.alarm, t.kind, t.cause, coalesce(a.finding->>'rule', '') as rule, a.state, t.at, t.read_at
        from monitoring.told t join monitoring.alarm a on a.tenant = t.tenant and a.id = t.alarm
        where t.tenant = $1 and t.person = $2 and t.patient = $3 and t.at > $4
        order by t.read_at is not null, t.at desc, t.alarm""",
        tenant,
        person,
        patient,
        since,
    )
    return [Told(**row) for row in rows]


async def read(sql: Connection, tenant: int, person: str, patient: str, at: datetime) -> None:
    """They have read all of it."""
    await sql.execute(
        """update monitoring.told set read_at = $4 where tenant = $1 and person = $2 and patient = $3
        and read_at is null""",
        tenant,
        person,
        patient,
        at,
    )
