"""Duties and substitutes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.access.model.people import Duty, Substitute, Weekly
from bedside.access.model.timetable import Away, Row, Somebody
from bedside.foundation.database import Connection

_SUBSTITUTE = """select s.id, s.person, p.name, s.by, b.name as by_name, s.duty, s.since, s.until, b.active as by_active
from access.substitute s join access.person p on p.id = s.person join access.person b on b.id = s.by
where s.tenant = $1"""


async def put_duty(sql: Connection, tenant: int, duty: Duty) -> None:
    """Add a duty, or change the one with its id."""
    weekly = duty.weekly
    await sql.execute(
        """insert into access.duty (id, tenant, person, place, role, step, since, until, weekdays, begins, ends)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        on conflict (id) do update set role = excluded.role, step = excluded.step, since = excluded.since,
        until = excluded.until, weekdays = excluded.weekdays, begins = excluded.begins, ends = excluded.ends
        where duty.tenant = excluded.tenant""",
        duty.id,
        tenant,
        duty.person,
        duty.place,
        duty.role,
        duty.step,
        duty.since,
        duty.until,
        sorted(weekly.weekdays) if weekly else None,
        weekly.begins if weekly else None,
        weekly.ends if weekly else None,
    )


async def rows(
    sql: Connection,
    tenant: int,
    since: datetime,
    until: datetime,
    *,
    place: str | None = None,
    role: str | None = None,
    person: str | None = None,
) -> list[Row]:
    """The duties of a stretch of time, each with who stands in for whom in it. since = until asks of a moment.

    person: those that are theirs, and those of whom they stand in for. Displays only when asked for by role.
    """
    found = await sql.fetch(
        """select d.id, d.person, d.place, d.role, d.step, d.since, d.until, d.weekdays, d.begins, d.ends, l.zone,
        p.name, p.roles, p.active, coalesce((
            select jsonb_agg(jsonb_build_array(s.id, s.since, s.until, b.id, b.name, b.roles, b.active)
                order by s.since)
            from access.substitute s join access.person b on b.id = s.by
            where s.tenant = d.tenant and s.person = d.person and (s.duty is null or s.duty = d.id)
            and s.since <= $3 and s.until > $2 and d.role in ('nurse', 'clinician')
        ), '[]') as away
        from access.duty d join access.person p on p.id = d.person join access.place l on l.id = d.place
        where d.tenant = $1 and d.since <= $3 and (d.until is null or d.until > $2)
        and ($4::text is null or d.place = $4) and ($6::text is null or d.person = $6 or exists (
            select from access.substitute s where s.tenant = d.tenant and s.person = d.person and s.by = $6
            and s.since <= $3 and s.until > $2))
        and case when $5::text is null then d.role <> 'display' else d.role = $5 end
        order by d.step, p.name, d.id""",
        tenant,
        since,
        until,
        place,
        role,
        person,
    )
    return [_row(one) for one in found]


def _row(row: Any) -> Row:
    owner = Somebody(row["person"], row["name"], frozenset(row["roles"]), row["active"])
    away = tuple(
        Away(id, datetime.fromisoformat(since), datetime.fromisoformat(until), Somebody(by, name, frozenset(roles), on))
        for id, since, until, by, name, roles, on in row["away"]
    )
    return Row(_duty(row), owner, away)


def _duty(row: Any) -> Duty:
    weekly = None
    if row["weekdays"] is not None:
        weekly = Weekly(frozenset(row["weekdays"]), row["begins"], row["ends"], row["zone"] or "UTC")
    given = {name: row[name] for name in ("id", "person", "name", "place", "role", "step", "since", "until")}
    return Duty(**given, weekly=weekly)


async def duty(sql: Connection, tenant: int, id: str) -> Duty | None:
    """One, locked."""
    row = await sql.fetchrow(
        """select d.*, p.name, l.zone from access.duty d join access.person p on p.id = d.person
        join access.place l on l.id = d.place where d.tenant = $1 and d.id = $2 for update of d""",
        tenant,
        id,
    )
    return _duty(row) if row else None


async def set_zone(sql: Connection, tenant: int, place: str, zone: str) -> None:
    """In which zone a place's duties are planned."""
    await sql.execute("update access.place set zone = $3 where tenant = $1 and id = $2", tenant, place, zone)


async def lock_people(sql: Connection, tenant: int, people: Sequence[str]) -> None:
    """One at a time plans who stands in for these people, or ends their accounts."""
    await sql.fetch(
        "select id from access.person where tenant = $1 and id = any($2) order by id for no key update",
        tenant,
        list(people),
    )


async def put_substitute(sql: Connection, tenant: int, new: Substitute, made_by: str, now: datetime) -> None:
    """Add one."""
    await sql.execute(
        """insert into access.substitute (id, tenant, person, by, duty, since, until, made_by, made)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        new.id,
        tenant,
        new.person,
        new.by,
        new.duty,
        new.since,
        new.until,
        made_by,
        now,
    )


async def substitutes(
    sql: Connection, tenant: int, since: datetime, until: datetime, *, involving: Sequence[str] | None = None
) -> list[Substitute]:
    """Those that stand at some time of a stretch; involving: of these people, on either side."""
    found = await sql.fetch(
        f"""{_SUBSTITUTE} and s.since < $3 and s.until > $2
        and ($4::text[] is null or s.person = any($4) or s.by = any($4)) order by s.since, s.id""",
        tenant,
        since,
        until,
        list(involving) if involving is not None else None,
    )
    return [Substitute(**row) for row in found]


async def substitute(sql: Connection, tenant: int, id: str) -> Substitute | None:
    """One."""
    row = await sql.fetchrow(f"{_SUBSTITUTE} and s.id = $2", tenant, id)
    return Substitute(**row) if row else None


async def end_substitute(sql: Connection, tenant: int, id: str, now: datetime) -> None:
    """It ends now; one that has not begun never was."""
    await sql.execute("delete from access.substitute where tenant = $1 and id = $2 and since >= $3", tenant, id, now)
    await sql.execute(
        "update access.substitute set until = $3 where tenant = $1 and id = $2 and until > $3", tenant, id, now
    )
