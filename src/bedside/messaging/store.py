"""SQL of the schema `messaging`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from bedside.foundation.database import Connection
from bedside.messaging.model.notice import Channel, Sent, Standing

_SENT = (
    "id, person, template, channel, address, subject, text, created, state, due, urgent, language, reason, tries,"
    " begun, next_try, settled, token, asks, opened, unanswered"
)
_FAILING = """closed is null and template <> 'messaging.test' and (state in ('refused', 'bounced', 'failed', 'held')
    or (unanswered and opened is null and state in ('sent', 'delivered')))"""
"""What is work for a person."""
_STAYS = f"(state = 'waiting' or ({_FAILING}))"
"""What stays however old it is."""
MOST_FAILING = 500
"""How many of them are looked at together, the oldest first."""


async def insert(sql: Connection, tenant: int, notice: Sent) -> bool:
    """Keep a notice; False when this id is here already, or one of its kind waits for the end of quiet hours."""
    row = await sql.fetchrow(
        """insert into messaging.notice (id, tenant, person, template, channel, address, subject, text, created,
        state, due, urgent, language, reason, token)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
        on conflict do nothing returning id""",
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
        notice.urgent,
        notice.language,
        notice.reason,
        notice.token,
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
    """A person's that wait for the end of quiet hours: id, when that is; locked."""
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
        """update messaging.notice set state = 'withdrawn', settled = $3
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


async def settle(
    sql: Connection,
    tenant: int,
    id: str,  # noqa: A002
    state: str,
    at: datetime,
    reason: str | None,
    *,
    forget: bool,
    asks: datetime | None = None,
) -> None:
    """What became of one that waited; one of which more was heard meanwhile stays. forget: its text."""
    await sql.execute(
        """update messaging.notice set state = $3, settled = $4, reason = $5, asks = $7, next_try = null,
        sent = case when $3 = 'sent' then $4 else sent end, text = case when $6 then null else text end
        where tenant = $1 and id = $2 and state = 'waiting'""",
        tenant,
        id,
        state,
        at,
        reason,
        forget,
        asks,
    )


async def try_again(
    sql: Connection,
    tenant: int,
    id: str,  # noqa: A002
    tries: int,
    begun: datetime,
    at: datetime,
    reason: str | None,
) -> bool:
    """It did not go, and waits for another try; False when it is over meanwhile."""
    row = await sql.fetchrow(
        """update messaging.notice set tries = $3, begun = $4, next_try = $5, reason = $6
        where tenant = $1 and id = $2 and state = 'waiting' and tries = $3 - 1 returning id""",
        tenant,
        id,
        tries,
        begun,
        at,
        reason,
    )
    return row is not None


async def heard(
    sql: Connection,
    tenant: int,
    id: str,  # noqa: A002
    state: str,
    at: datetime,
    reason: str | None,
    *,
    forget: bool,
    asks: datetime | None,
) -> None:
    """What somebody else says became of it. That it arrived stands against everything; that it did not, only against
    that it was sent."""
    await sql.execute(
        """update messaging.notice set state = $3, settled = $4, reason = $5, next_try = null,
        sent = coalesce(sent, $4), asks = coalesce(asks, $8), text = case when $6 then null else text end
        where tenant = $1 and id = $2 and state = any($7)""",
        tenant,
        id,
        state,
        at,
        reason,
        forget,
        ["waiting", "sent", "bounced", "failed"] if state == "delivered" else ["waiting", "sent"],
        asks,
    )


async def known(sql: Connection, tenant: int, id: str, channel: str) -> tuple[str, bool] | None:  # noqa: A002
    """Template and urgency of one that went by this channel."""
    row = await sql.fetchrow(
        "select template, urgent from messaging.notice where tenant = $1 and id = $2 and channel = $3",
        tenant,
        id,
        channel,
    )
    return (row["template"], row["urgent"]) if row else None


async def of_token(sql: Connection, tenant: int, token: str) -> str | None:
    """The id of the one whose envelope held this token."""
    found: str | None = await sql.fetchval(
        "select id from messaging.notice where tenant = $1 and token = $2", tenant, token
    )
    return found


async def opened(sql: Connection, tenant: int, person: str, templates: Sequence[str], at: datetime) -> None:
    """A person opened what those of these templates called them to."""
    await sql.execute(
        """update messaging.notice set opened = $4 where tenant = $1 and person = $2 and template = any($3)
        and opened is null and state in ('sent', 'delivered') and asks is not null""",
        tenant,
        person,
        list(templates),
        at,
    )


async def to_be_opened(sql: Connection, tenant: int, now: datetime) -> list[tuple[str, str, str, datetime]]:
    """id, person, template and when it went, of those that were to be opened by now, or that wait for a person because
    they were not."""
    rows = await sql.fetch(
        """select id, person, template, sent from messaging.notice where tenant = $1 and opened is null
        and closed is null and state in ('sent', 'delivered') and asks is not null and asks <= $2
        order by asks limit 1000""",
        tenant,
        now,
    )
    return [(row["id"], row["person"], row["template"], row["sent"]) for row in rows]


async def seen(sql: Connection, tenant: int, id: str, at: datetime) -> None:  # noqa: A002
    """It was opened."""
    await sql.execute("update messaging.notice set opened = $3 where tenant = $1 and id = $2", tenant, id, at)


async def unanswered(sql: Connection, tenant: int, id: str) -> None:  # noqa: A002
    """Its time passed."""
    await sql.execute(
        "update messaging.notice set unanswered = true where tenant = $1 and id = $2 and opened is null", tenant, id
    )


async def failing(sql: Connection, tenant: int, *, person: str | None = None) -> list[Sent]:
    """What is work for a person, the oldest first, at most MOST_FAILING."""
    rows = await sql.fetch(
        f"""select {_SENT} from messaging.notice where tenant = $1 and ($2::text is null or person = $2) and {_FAILING}
        order by created, id limit $3""",  # noqa: S608
        tenant,
        person,
        MOST_FAILING,
    )
    return [Sent(**row) for row in rows]


async def close(sql: Connection, tenant: int, person: str, ids: Sequence[str], at: datetime, by: str, how: str) -> None:
    """They are no work any more."""
    await sql.execute(
        f"""update messaging.notice set closed = $4, closed_by = $5, closed_as = $6
        where tenant = $1 and person = $2 and id = any($3) and {_FAILING}""",  # noqa: S608
        tenant,
        person,
        list(ids),
        at,
        by,
        how,
    )


async def superseded(sql: Connection, tenant: int, newer: Sent, at: datetime) -> None:
    """What let the same person in before, and did not arrive, is no work any more: a newer one has gone."""
    await sql.execute(
        f"""update messaging.notice set closed = $5, closed_as = 'again'
        where tenant = $1 and person = $2 and template = $3 and created <= $4 and id <> $6
        and {_FAILING}""",  # noqa: S608
        *(tenant, newer.person, newer.template, newer.created, at, newer.id),
    )


async def reopen(sql: Connection, tenant: int, person: str, by: str, since: datetime) -> int:
    """What somebody said last of a person's to have seen to, if not before since, is work again. How many. What was
    sent again is not: that has gone."""
    rows = await sql.fetch(
        """update messaging.notice set closed = null, closed_by = null, closed_as = null
        where tenant = $1 and person = $2 and closed_by = $3 and closed_as <> 'again' and closed = (
            select max(closed) from messaging.notice where tenant = $1 and person = $2 and closed_by = $3
            and closed_as <> 'again' and closed >= $4) returning id""",
        *(tenant, person, by, since),
    )
    return len(rows)


async def tenants(sql: Connection) -> list[int]:
    """Those that have any."""
    return [row["tenant"] for row in await sql.fetch("select distinct tenant from messaging.notice order by 1")]


async def old(sql: Connection, tenant: int, before: datetime) -> tuple[int, int]:
    """Of those made before then: how many may go, and how many are on their way or work for a person."""
    row = await sql.fetchrow(
        f"""select count(*) filter (where not {_STAYS}) as go, count(*) filter (where {_STAYS}) as stay
        from messaging.notice where tenant = $1 and created < $2""",  # noqa: S608
        tenant,
        before,
    )
    return row["go"], row["stay"]


async def drop_old(sql: Connection, tenant: int, before: datetime, limit: int) -> int:
    """So many of those that may go, the oldest first; how many there were."""
    rows = await sql.fetch(
        f"""delete from messaging.notice where id in (select id from messaging.notice
            where tenant = $1 and created < $2 and not {_STAYS} order by created limit $3 for update skip locked)
        returning id""",  # noqa: S608
        *(tenant, before, limit),
    )
    return len(rows)


async def standing(sql: Connection, tenant: int, now: datetime) -> Standing:
    """How notices stand, in numbers."""
    row = await sql.fetchrow(
        f"""select max(sent) filter (where state in ('sent', 'delivered', 'bounced')) as last,
        count(*) filter (where state = 'waiting' and coalesce(due, created) <= $2) as waiting,
        min(coalesce(due, created)) filter (where state = 'waiting' and coalesce(due, created) <= $2) as oldest,
        count(*) filter (where {_FAILING}) as failing
        from messaging.notice where tenant = $1""",  # noqa: S608
        tenant,
        now,
    )
    return Standing(row["last"], row["waiting"], row["oldest"], row["failing"])


async def told_by(sql: Connection, tenant: int, person: str) -> Channel | None:
    """The channel that a person chose."""
    found: Channel | None = await sql.fetchval(
        "select channel from messaging.told_by where tenant = $1 and person = $2", tenant, person
    )
    return found


async def put_told_by(sql: Connection, tenant: int, person: str, channel: str | None) -> None:
    """Choose one, or none."""
    await sql.execute("delete from messaging.told_by where tenant = $1 and person = $2", tenant, person)
    if channel is not None:
        await sql.execute(
            "insert into messaging.told_by (tenant, person, channel) values ($1, $2, $3)", tenant, person, channel
        )


async def last_of(sql: Connection, tenant: int, template: str, channel: str | None) -> Sent | None:
    """The newest of a template, by a channel. One that no address was there for went by none."""
    row = await sql.fetchrow(
        f"""select {_SENT} from messaging.notice where tenant = $1 and template = $2
        and ($3::text is null or channel = $3) order by created desc, id desc limit 1""",  # noqa: S608
        tenant,
        template,
        channel,
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
