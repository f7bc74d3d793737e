"""SQL of the schema `messaging`."""

from __future__ import annotations

from datetime import datetime

from bedside.foundation.database import Connection
from bedside.messaging.model.notice import Sent

_SENT = "id, person, template, channel, address, subject, text, created, state"


async def insert(sql: Connection, tenant: int, notice: Sent) -> bool:
    """Keep a notice; False when this id is here already."""
    row = await sql.fetchrow(
        """insert into messaging.notice (id, tenant, person, template, channel, address, subject, text, created, state)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict do nothing returning id""",
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
    )
    return row is not None


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


async def newest(sql: Connection, tenant: int, limit: int) -> list[Sent]:
    """The newest first."""
    rows = await sql.fetch(
        f"select {_SENT} from messaging.notice where tenant = $1 order by created desc, id desc limit $2",  # noqa: S608
        tenant,
        limit,
    )
    return [Sent(**row) for row in rows]
