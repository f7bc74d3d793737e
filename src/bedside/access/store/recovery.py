"""SQL of codes that let a patient in again, and of those who ask to be called."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bedside.access.model.recovery import LetIn
from bedside.foundation.database import Connection


@dataclass(frozen=True, slots=True)
class Tried:
    """A code that is good, one try of which was just counted."""

    id: str
    person: str
    patient: str
    knows: bytes


async def insert(sql: Connection, tenant: int, row: dict[str, Any]) -> bool:
    """Keep a code's digest; those of this person before are good no longer. False: this code is another's already."""
    await sql.execute(
        "update access.recovery set ended = $3 where tenant = $1 and person = $2 and used is null and ended is null",
        *(tenant, row["person"], row["made"]),
    )
    found = await sql.fetchval(
        """insert into access.recovery (id, tenant, person, patient, digest, knows, how, by, by_name, made, expires)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) on conflict (digest) do nothing returning id""",
        *(row["id"], tenant, row["person"], row["patient"], row["digest"], row["knows"]),
        *(row["how"], row["by"], row["by_name"], row["made"], row["expires"]),
    )
    return found is not None


async def tried(sql: Connection, tenant: int, digest: bytes, now: datetime, most: int) -> Tried | None:
    """Count a try of this code, if it is good and any is left."""
    row = await sql.fetchrow(
        """update access.recovery set tries = tries + 1 where tenant = $1 and digest = $2 and expires > $3
        and used is null and ended is null and tries < $4 returning id, person, patient, knows""",
        *(tenant, digest, now, most),
    )
    return Tried(**row) if row else None


async def take(sql: Connection, tenant: int, id: str, now: datetime) -> bool:
    """Whether it was good until now; of two at once one waits here and hears no."""
    row = await sql.fetchrow(
        """update access.recovery set used = $3 where tenant = $1 and id = $2 and expires > $3 and used is null
        and ended is null returning id""",
        *(tenant, id, now),
    )
    return row is not None


async def opened(sql: Connection, id: str, session: str) -> None:
    """The session that it opened."""
    await sql.execute("update access.recovery set session = $2 where id = $1", id, session)


async def let_in(sql: Connection, tenant: int, session: str, since: datetime) -> LetIn | None:
    """By whom this session was let in, if it was since then."""
    row = await sql.fetchrow(
        """select by_name, how, used from access.recovery where tenant = $1 and session = $2 and used >= $3""",
        *(tenant, session, since),
    )
    return LetIn(row["by_name"], row["how"], row["used"]) if row else None


async def ask(sql: Connection, tenant: int, id: str, said: dict[str, str], now: datetime) -> None:
    """Somebody asks to be called; asking the same again changes nothing."""
    await sql.execute(
        """insert into access.call_back (id, tenant, said, asked) values ($1, $2, $3, $4)
        on conflict (tenant, said) where closed is null do nothing""",
        *(id, tenant, said, now),
    )


async def waiting(sql: Connection, tenant: int, id: str | None, limit: int = 1) -> list[dict[str, Any]]:
    """Those who wait to be called, the longest first; or the one of an id, locked."""
    lock = "for update" if id is not None else "limit $3"
    rows = await sql.fetch(
        f"""select id, said, asked from access.call_back where tenant = $1 and closed is null
        and ($2::text is null or id = $2) order by asked, id {lock}""",  # noqa: S608
        *((tenant, id) if id is not None else (tenant, id, limit)),
    )
    return [dict(row) for row in rows]


async def how_many(sql: Connection, tenant: int) -> int:
    """Who wait to be called."""
    return int(await sql.fetchval("select count(*) from access.call_back where tenant = $1 and closed is null", tenant))


async def close(sql: Connection, tenant: int, id: str, outcome: str, by: str, now: datetime) -> None:
    """No work any more; what they typed is not kept."""
    await sql.execute(
        """update access.call_back set closed = $5, closed_by = $4, outcome = $3, said = '{}'
        where tenant = $1 and id = $2""",
        *(tenant, id, outcome, by, now),
    )


async def forget(sql: Connection, before: datetime) -> None:
    """Codes that ended long ago: what they did stands in the audit."""
    await sql.execute("delete from access.recovery where expires < $1", before)
