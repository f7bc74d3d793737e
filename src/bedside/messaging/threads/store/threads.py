"""Threads, that messages are there, who saw them, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection
from bedside.messaging.threads.model.thread import Event, Row, Seen, Side, Thread, Written

_THREAD = "id, patient, kind, state, urgent, opened, person, name, assigned, assigned_name, promised, told, last"
_OF_T = "t." + _THREAD.replace(", ", ", t.")


async def insert(sql: Connection, tenant: int, thread: Thread) -> bool:
    """Keep a new thread; False when one with this id is here."""
    row = await sql.fetchrow(
        f"""insert into messaging.thread (tenant, {_THREAD})
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) on conflict do nothing
        returning id""",  # noqa: S608
        tenant,
        thread.id,
        thread.patient,
        thread.kind,
        thread.state,
        thread.urgent,
        thread.opened,
        thread.person,
        thread.name,
        thread.assigned,
        thread.assigned_name,
        thread.promised,
        thread.told,
        thread.last,
    )
    return row is not None


async def update(sql: Connection, tenant: int, thread: Thread) -> None:
    """How it stands now."""
    await sql.execute(
        """update messaging.thread set state = $3, urgent = $4, assigned = $5, assigned_name = $6, promised = $7,
        told = $8, last = $9 where tenant = $1 and id = $2""",
        tenant,
        thread.id,
        thread.state,
        thread.urgent,
        thread.assigned,
        thread.assigned_name,
        thread.promised,
        thread.told,
        thread.last,
    )


async def get(sql: Connection, tenant: int, id: str, *, lock: bool = False) -> Thread | None:  # noqa: A002
    """One."""
    row = await sql.fetchrow(
        f"select {_THREAD} from messaging.thread where tenant = $1 and id = $2" + (" for update" if lock else ""),  # noqa: S608
        tenant,
        id,
    )
    return Thread(**row) if row else None


async def late(sql: Connection, tenant: int, at: datetime) -> list[Thread]:
    """Those whose promise passed and of which nobody was told; locked, leaving out what another worker holds."""
    rows = await sql.fetch(
        f"""select {_THREAD} from messaging.thread where tenant = $1 and promised < $2 and told is null
        order by promised limit 100 for update skip locked""",  # noqa: S608
        tenant,
        at,
    )
    return [Thread(**row) for row in rows]


async def held(sql: Connection, tenant: int, person: str, *, lock: bool) -> list[Thread]:
    """The open ones that somebody has taken."""
    rows = await sql.fetch(
        f"""select {_THREAD} from messaging.thread where tenant = $1 and assigned = $2 and state = 'open'
        order by id"""  # noqa: S608
        + (" for update" if lock else ""),
        tenant,
        person,
    )
    return [Thread(**row) for row in rows]


async def rows(
    sql: Connection,
    tenant: int,
    reader: str,
    side: Side,
    *,
    patients: Sequence[str] | None,
    state: str | None = None,
    limit: int = 200,
) -> list[Row]:
    """Threads of these patients (None: of all), who waits first, by what was promised; then the newest.

    Unseen are messages of the other side than the reader's that the reader has not seen.
    """
    found = await sql.fetch(
        f"""select {_OF_T}, m.name as last_name, m.side as last_side,
        (select count(*) from messaging.message c where c.tenant = t.tenant and c.thread = t.id) as messages,
        (select count(*) from messaging.message c where c.tenant = t.tenant and c.thread = t.id and c.side <> $3
            and not exists (select from messaging.seen s where s.tenant = c.tenant and s.message = c.id
            and s.person = $2)) as unseen
        from messaging.thread t join lateral (select name, side from messaging.message c
            where c.tenant = t.tenant and c.thread = t.id order by n desc limit 1) m on true
        where t.tenant = $1 and ($4::text[] is null or t.patient = any($4)) and ($5::text is null or t.state = $5)
        order by t.promised is null, t.urgent desc, t.promised, t.last desc, t.id limit $6""",  # noqa: S608
        tenant,
        reader,
        side,
        list(patients) if patients is not None else None,
        state,
        limit,
    )
    return [_row(dict(one)) for one in found]


def _row(found: dict[str, Any]) -> Row:
    more = {name: found.pop(name) for name in ("last_name", "last_side", "messages", "unseen")}
    return Row(Thread(**found), **more)


async def waiting(sql: Connection, tenant: int, patients: Sequence[str] | None, at: datetime) -> tuple[int, int]:
    """How many threads wait for an answer, and how many of them beyond what was promised."""
    row = await sql.fetchrow(
        """select count(*) as waits, count(*) filter (where promised < $3) as late from messaging.thread
        where tenant = $1 and promised is not null and ($2::text[] is null or patient = any($2))""",
        tenant,
        list(patients) if patients is not None else None,
        at,
    )
    return (row["waits"], row["late"]) if row else (0, 0)


async def awaited(sql: Connection, tenant: int, patients: Sequence[str] | None, limit: int) -> list[Thread]:
    """Those that wait for an answer, by what was promised, urgent ones first."""
    rows = await sql.fetch(
        f"""select {_THREAD} from messaging.thread
        where tenant = $1 and promised is not null and ($2::text[] is null or patient = any($2))
        order by urgent desc, promised, id limit $3""",  # noqa: S608
        tenant,
        list(patients) if patients is not None else None,
        limit,
    )
    return [Thread(**row) for row in rows]


async def add_message(sql: Connection, tenant: int, message: Written) -> bool:
    """That it is there; False when it was."""
    row = await sql.fetchrow(
        """insert into messaging.message (id, tenant, thread, at, person, name, side, urgent)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning id""",
        message.id,
        tenant,
        message.thread,
        message.at,
        message.person,
        message.name,
        message.side,
        message.urgent,
    )
    return row is not None


async def message(sql: Connection, tenant: int, id: str) -> Written | None:  # noqa: A002
    """One."""
    row = await sql.fetchrow(
        "select id, thread, at, person, name, side, urgent from messaging.message where tenant = $1 and id = $2",
        tenant,
        id,
    )
    return Written(**row) if row else None


async def messages(sql: Connection, tenant: int, thread: str) -> list[Written]:
    """Of a thread, in order."""
    found = await sql.fetch(
        """select id, thread, at, person, name, side, urgent from messaging.message
        where tenant = $1 and thread = $2 order by n""",
        tenant,
        thread,
    )
    return [Written(**row) for row in found]


async def see(sql: Connection, tenant: int, thread: str, seen: Seen) -> None:
    """A person has seen every message of the other side that is there by now. seen.message is not looked at."""
    await sql.execute(
        """insert into messaging.seen (tenant, message, person, name, side, at)
        select tenant, id, $3, $4, $5, $6 from messaging.message
        where tenant = $1 and thread = $2 and side <> $5 on conflict do nothing""",
        tenant,
        thread,
        seen.person,
        seen.name,
        seen.side,
        seen.at,
    )


async def seen(sql: Connection, tenant: int, thread: str) -> list[Seen]:
    """Who has seen what, in order of time."""
    found = await sql.fetch(
        """select s.message, s.person, s.name, s.side, s.at from messaging.seen s
        join messaging.message m on m.tenant = s.tenant and m.id = s.message
        where m.tenant = $1 and m.thread = $2 order by s.at, s.person""",
        tenant,
        thread,
    )
    return [Seen(**row) for row in found]


async def add_event(sql: Connection, tenant: int, thread: str, event: Event) -> None:
    """One line of its history."""
    await sql.execute(
        """insert into messaging.thread_event (tenant, thread, at, person, name, what, detail, ref)
        values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        tenant,
        thread,
        event.at,
        event.person,
        event.name,
        event.what,
        event.detail,
        event.ref,
    )


async def events(sql: Connection, tenant: int, thread: str) -> list[Event]:
    """Its history."""
    found = await sql.fetch(
        """select at, person, name, what, detail, ref from messaging.thread_event
        where tenant = $1 and thread = $2 order by id""",
        tenant,
        thread,
    )
    return [Event(**row) for row in found]


async def of_ref(sql: Connection, tenant: int, ref: str) -> str | None:
    """The thread that was turned into this."""
    found: str | None = await sql.fetchval(
        "select thread from messaging.thread_event where tenant = $1 and ref = $2 order by id limit 1", tenant, ref
    )
    return found
