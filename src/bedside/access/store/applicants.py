"""SQL of those who ask to be registered."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection


async def insert(
    sql: Connection,
    tenant: int,
    id: str,
    person: str,
    digest: bytes,
    said: dict[str, str],
    now: datetime,
    expires: datetime,
) -> None:
    """Somebody asked."""
    await sql.execute(
        """insert into access.applicant (id, tenant, person, digest, said, created, expires)
        values ($1, $2, $3, $4, $5, $6, $7)""",
        *(id, tenant, person, digest, said, now, expires),
    )


async def good(sql: Connection, tenant: int, digest: bytes, now: datetime) -> bool:
    """Whether this link still confirms an address."""
    asked = """select exists (select from access.applicant
        where tenant = $1 and digest = $2 and expires > $3 and confirmed is null)"""
    return bool(await sql.fetchval(asked, tenant, digest, now))


async def confirm(sql: Connection, tenant: int, digest: bytes, now: datetime) -> str | None:
    """The address is theirs; who, if the link was still good."""
    found: str | None = await sql.fetchval(
        """update access.applicant set confirmed = $3 where tenant = $1 and digest = $2 and expires > $3
        and confirmed is null returning person""",
        *(tenant, digest, now),
    )
    return found


async def waiting(sql: Connection, tenant: int, id: str | None, limit: int = 1) -> list[dict[str, Any]]:
    """Those who confirmed their address and wait for an answer, the longest first; or the one of an id, locked."""
    lock = "for update" if id is not None else "limit $3"
    rows = await sql.fetch(
        f"""select id, person, said, confirmed from access.applicant
        where tenant = $1 and confirmed is not null and decided is null and ($2::text is null or id = $2)
        order by confirmed, id {lock}""",  # noqa: S608
        *((tenant, id) if id is not None else (tenant, id, limit)),
    )
    return [dict(row) for row in rows]


async def decide(sql: Connection, tenant: int, id: str, outcome: str, by: str, now: datetime) -> None:
    """Answered: what they typed stands in the record, or is not kept. Nor is the account that reached them."""
    person = await sql.fetchval(
        """update access.applicant set outcome = $3, decided_by = $4, decided = $5, said = '{}'
        where tenant = $1 and id = $2 returning person""",
        *(tenant, id, outcome, by, now),
    )
    await sql.execute("update access.person set email = null, name = '-' where tenant = $1 and id = $2", tenant, person)


async def forget(sql: Connection, before: datetime) -> None:
    """Whoever never confirmed their address."""
    people = await sql.fetch(
        "delete from access.applicant where confirmed is null and expires < $1 returning person", before
    )
    await sql.execute(
        "update access.person set email = null, name = '-' where id = any($1)", [row["person"] for row in people]
    )
