"""Who is away, and what the site promises."""

from __future__ import annotations

from datetime import datetime

from bedside.foundation.database import Connection
from bedside.messaging.threads.model.promise import Promise
from bedside.messaging.threads.model.thread import Away

_AWAY = "id, person, name, substitute, substitute_name, since, until"


async def put_away(sql: Connection, tenant: int, away: Away) -> None:
    """Keep an absence."""
    await sql.execute(
        f"insert into messaging.away (tenant, {_AWAY}) values ($1, $2, $3, $4, $5, $6, $7, $8)",  # noqa: S608
        tenant,
        away.id,
        away.person,
        away.name,
        away.substitute,
        away.substitute_name,
        away.since,
        away.until,
    )


async def end_away(sql: Connection, tenant: int, id: str, at: datetime) -> None:  # noqa: A002
    """It ends now; one that has not begun never was."""
    await sql.execute("delete from messaging.away where tenant = $1 and id = $2 and since >= $3", tenant, id, at)
    await sql.execute(
        "update messaging.away set until = $3 where tenant = $1 and id = $2 and until > $3", tenant, id, at
    )


async def away(sql: Connection, tenant: int, id: str) -> Away | None:  # noqa: A002
    """One, locked."""
    row = await sql.fetchrow(
        f"select {_AWAY} from messaging.away where tenant = $1 and id = $2 for update",  # noqa: S608
        tenant,
        id,
    )
    return Away(**row) if row else None


async def aways(
    sql: Connection, tenant: int, since: datetime, until: datetime, *, involving: list[str] | None = None
) -> list[Away]:
    """Absences that touch a stretch of time, of or by these people."""
    found = await sql.fetch(
        f"""select {_AWAY} from messaging.away where tenant = $1 and since <= $3 and until > $2
        and ($4::text[] is null or person = any($4) or substitute = any($4)) order by since, id""",  # noqa: S608
        tenant,
        since,
        until,
        involving,
    )
    return [Away(**row) for row in found]


async def promise(sql: Connection, tenant: int) -> Promise | None:
    """What the site promises, where it said so."""
    row = await sql.fetchrow("select days, weekdays, closes, closed from messaging.promise where tenant = $1", tenant)
    return Promise(row["days"], frozenset(row["weekdays"]), row["closes"], frozenset(row["closed"])) if row else None


async def put_promise(sql: Connection, tenant: int, promise: Promise, by: str, at: datetime) -> None:
    """From now on this is promised."""
    await sql.execute(
        """insert into messaging.promise (tenant, days, weekdays, closes, closed, by_name, at)
        values ($1, $2, $3, $4, $5, $6, $7) on conflict (tenant) do update set days = excluded.days,
        weekdays = excluded.weekdays, closes = excluded.closes, closed = excluded.closed,
        by_name = excluded.by_name, at = excluded.at""",
        tenant,
        promise.days,
        sorted(promise.weekdays),
        promise.closes,
        sorted(promise.closed),
        by,
        at,
    )
