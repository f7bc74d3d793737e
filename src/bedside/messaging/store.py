"""SQL of the schema `messaging`."""

from __future__ import annotations

from datetime import datetime, time

from bedside.foundation.database import Connection
from bedside.messaging.model.notice import Sent

_SENT = "id, person, template, channel, address, subject, text, created, state, due"


async def insert(sql: Connection, tenant: int, notice: Sent) -> bool:
    """Keep a notice; False when this id is here already, or one of its kind waits for the end of quiet hours."""
    row = await sql.fetchrow(
        """insert into messaging.notice (id, tenant, person, template, channel, address, subject, text, created,
        state, due) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict do nothing returning id""",
        notice.id,
        tenant,
        notice.person,
        notice.template,
        notice.channel,
        notice.address,
        notice.subject,
        notice.text,
        notice.created,
        notice.state,
        notice.due,
    )
    return row is not None


async def of_its_kind(sql: Connection, tenant: int, notice: Sent) -> str | None:
    """The id of the one that waits in quiet hours and says the same to the same person, locked: it is not sent before
    this transaction ends."""
    found: str | None = await sql.fetchval(
        """select id from messaging.notice where tenant = $1 and person = $2 and template = $3
        and md5(subject || text) = md5($4::text || $5::text) and state = 'waiting' and due is not null for update""",
        tenant,
        notice.person,
        notice.template,
        notice.subject,
        notice.text,
    )
    return found


async def waiting_of(sql: Connection, tenant: int, person: str) -> list[tuple[str, datetime]]:
    """A person's notices that wait for the end of quiet hours, with when that is; locked."""
    rows = await sql.fetch(
        """select id, due from messaging.notice where tenant = $1 and person = $2 and state = 'waiting'
        and due is not null order by id for update""",
        tenant,
        person,
    )
    return [(row["id"], row["due"]) for row in rows]


async def put_off(sql: Connection, tenant: int, id: str, due: datetime) -> None:  # noqa: A002
    """It waits until then."""
    await sql.execute("update messaging.notice set due = $3 where tenant = $1 and id = $2", tenant, id, due)


async def withdraw(sql: Connection, tenant: int, id: str, at: datetime) -> bool:  # noqa: A002
    """One that waits is never sent; False when it has gone."""
    row = await sql.fetchrow(
        """update messaging.notice set state = 'withdrawn', sent = $3
        where tenant = $1 and id = $2 and state = 'waiting' returning id""",
        tenant,
        id,
        at,
    )
    return row is not None


async def quiet(sql: Connection, tenant: int, person: str) -> tuple[time, time] | None:
    """When a person's quiet hours begin and end."""
    row = await sql.fetchrow(
        "select begins, ends from messaging.quiet where tenant = $1 and person = $2", tenant, person
    )
    return (row["begins"], row["ends"]) if row else None


async def put_quiet(sql: Connection, tenant: int, person: str, hours: tuple[time, time] | None) -> None:
    """Set them, or have none."""
    await sql.execute("delete from messaging.quiet where tenant = $1 and person = $2", tenant, person)
    if hours is not None:
        await sql.execute(
            "insert into messaging.quiet (tenant, person, begins, ends) values ($1, $2, $3, $4)", tenant, person, *hours
        )


async def waiting(sql: Connection, tenant: int, id: str) -> Sent | None:  # noqa: A002
    """One that waits to be sent."""
    row = await sql.fetchrow(
        f"select {_SENT} from messaging.notice where tenant = $1 and id = $2 and state = 'waiting'",  # noqa: S608
        tenant,
        id,
    )
    return Sent(**row) if row else None


async def mark(sql: Connection, tenant: int, id: str, state: str, at: datetime, *, forget: bool) -> None:  # noqa: A002
    """What became of it. forget: the text is no longer needed."""
    await sql.execute(
        """update messaging.notice set state = $3, sent = $4, text = case when $5 then null else text end
        where tenant = $1 and id = $2""",
        tenant,
        id,
        state,
        at,
        forget,
    )


async def last_of(sql: Connection, tenant: int, template: str) -> Sent | None:
    """The newest of a template."""
    row = await sql.fetchrow(
        f"select {_SENT} from messaging.notice where tenant = $1 and template = $2 order by created desc limit 1",  # noqa: S608
        tenant,
        template,
    )
    return Sent(**row) if row else None


async def newest(sql: Connection, tenant: int, limit: int) -> list[Sent]:
    """The newest first."""
    rows = await sql.fetch(
        f"select {_SENT} from messaging.notice where tenant = $1 order by created desc, id desc limit $2",  # noqa: S608
        tenant,
        limit,
    )
    return [Sent(**row) for row in rows]
