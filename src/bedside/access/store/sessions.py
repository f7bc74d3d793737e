"""Sessions: the token itself is never kept, only its SHA-256."""

from __future__ import annotations

from datetime import datetime, timedelta

from bedside.access.model.people import Person
from bedside.access.model.sign_in import Session
from bedside.access.store.people import read_person
from bedside.foundation.database import Connection

_SESSION = "s.id, s.person, s.kind, s.origin, s.agent, s.created, s.seen, s.expires, s.idle"


async def insert_session(sql: Connection, tenant: int, session: Session, digest: bytes) -> None:
    """Open."""
    await sql.execute(
        """insert into access.session (id, digest, tenant, person, kind, origin, agent, created, seen, expires, idle)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        session.id,
        digest,
        tenant,
        session.person,
        session.kind,
        session.origin,
        session.agent,
        session.created,
        session.seen,
        session.expires,
        session.idle,
    )


async def find(sql: Connection, digest: bytes, now: datetime) -> tuple[Session, Person, int] | None:
    """The session of a token, its person and tenant, unless it ended, expired or idled away."""
    row = await sql.fetchrow(
        f"""select {_SESSION}, s.tenant, p.* from access.session s
        cross join lateral (select p.id as p_id, p.name, p.roles, p.reference, p.language, p.phone, p.email, p.units,
            p.zone, p.patient, p.active from access.person p where p.id = s.person) p
        where s.digest = $1 and s.ended is null and s.expires > $2 and (s.idle is null or s.seen + s.idle > $2)
        and p.active""",  # noqa: S608
        digest,
        now,
    )
    if row is None:
        return None
    fields = dict(row)
    session = Session(
        **{k: fields[k] for k in ("id", "person", "kind", "origin", "agent", "created", "seen", "expires", "idle")}
    )
    return session, read_person({**fields, "id": fields["p_id"]}), fields["tenant"]


async def touch(sql: Connection, id: str, now: datetime) -> None:
    """Something was done."""
    await sql.execute("update access.session set seen = $2 where id = $1 and seen < $2 and ended is null", id, now)


async def is_open(sql: Connection, id: str) -> bool:
    """Whether it was not ended."""
    return bool(await sql.fetchval("select exists (select from access.session where id = $1 and ended is null)", id))


async def end(sql: Connection, tenant: int, person: str, now: datetime, id: str | None = None) -> int:
    """End one session of a person, or all."""
    rows = await sql.fetch(
        """update access.session set ended = $3 where tenant = $1 and person = $2 and ended is null
        and ($4::text is null or id = $4) returning id""",
        tenant,
        person,
        now,
        id,
    )
    return len(rows)


async def of_person(sql: Connection, tenant: int, person: str, now: datetime) -> list[Session]:
    """Those that are open, the latest used first."""
    rows = await sql.fetch(
        f"""select {_SESSION} from access.session s where s.tenant = $1 and s.person = $2 and s.ended is null
        and s.expires > $3 and (s.idle is null or s.seen + s.idle > $3) order by s.seen desc""",  # noqa: S608
        tenant,
        person,
        now,
    )
    return [Session(**row) for row in rows]


async def last_seen(sql: Connection, tenant: int, person: str) -> datetime | None:
    """When somebody last did something, in any session that is remembered."""
    found: datetime | None = await sql.fetchval(
        "select max(seen) from access.session where tenant = $1 and person = $2 and kind <> 'display'", tenant, person
    )
    return found


async def forget(sql: Connection, before: datetime) -> None:
    """Remove what ended long ago, and all that has expired around it."""
    await sql.execute(
        "delete from access.session where coalesce(ended, least(expires, seen + idle), expires) < $1", before
    )
    await sql.execute("delete from access.one_time where expires < $1", before)
    await sql.execute("delete from access.challenge where expires < $1", before)
    await sql.execute("delete from access.token where expires < $1", before)
    await sql.execute("delete from access.assertion where expires < $1", before)
    await sql.execute("delete from access.rate where arrival < $1", before)


async def spend(sql: Connection, key: str, now: datetime, interval: timedelta, tolerance: timedelta) -> datetime | None:
    """One request of a key by the generic cell rate algorithm. None: it fits; else when the next one will."""
    row = await sql.fetchrow(
        """insert into access.rate (key, arrival) values ($1, $2::timestamptz + $3)
        on conflict (key) do update set arrival = greatest(rate.arrival, $2::timestamptz) + $3
        where rate.arrival <= $2::timestamptz + $4 returning arrival""",
        key,
        now,
        interval,
        tolerance,
    )
    if row is not None:
        return None
    arrival: datetime = await sql.fetchval("select arrival from access.rate where key = $1", key)
    return arrival - tolerance


async def would_be_free(sql: Connection, key: str, tolerance: timedelta) -> datetime | None:
    """From when the next request of a key fits; None: it was never seen."""
    free: datetime | None = await sql.fetchval(
        "select arrival - $2::interval from access.rate where key = $1", key, tolerance
    )
    return free
