"""SQL of who lands which part of a wire.

Time is the database's: processes of several machines agree on no other.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import NamedTuple

from bedside.foundation.database import Connection


class Lander(NamedTuple):
    """A process that lands a wire. place: where its pid means something."""

    id: str
    place: str
    pid: int


class Share(NamedTuple):
    """A part and whose it is: a lander's id, None while it is nobody's."""

    part: int
    owner: str | None


async def here(sql: Connection, wire: str, one: Lander) -> None:
    """The lander lives."""
    await sql.execute(
        """insert into monitoring.lander (wire, id, place, pid, seen_at) values ($1, $2, $3, $4, clock_timestamp())
           on conflict (wire, id) do update set seen_at = clock_timestamp()""",
        *(wire, one.id, one.place, one.pid),
    )


async def landers(sql: Connection, wire: str, within: timedelta) -> list[Lander]:
    """Those that were seen of late, by id."""
    rows = await sql.fetch(
        """select id, place, pid from monitoring.lander where wire = $1 and seen_at > clock_timestamp() - $2::interval
           order by id""",
        *(wire, within),
    )
    return [Lander(*row) for row in rows]


async def shares(sql: Connection, wire: str, parts: Collection[int]) -> list[Share]:
    """Every part; those nobody ever had are made."""
    rows = await sql.fetch("select part, owner from monitoring.share where wire = $1 order by part", wire)
    if len(rows) < len(parts):
        await sql.execute(
            "insert into monitoring.share (wire, part) select $1, p from unnest($2::int[]) p on conflict do nothing",
            *(wire, list(parts)),
        )
        rows = await sql.fetch("select part, owner from monitoring.share where wire = $1 order by part", wire)
    return [Share(*row) for row in rows]


async def take(sql: Connection, wire: str, owner: str, alive: Collection[str], most: int) -> list[int]:
    """Take up to `most` parts of nobody or of the dead. A part in which the dead still have a transaction under way is
    left for now: PostgreSQL ends it (idle_in_transaction_session_timeout)."""
    rows = await sql.fetch(
        """update monitoring.share s set owner = $2, term = s.term + 1 from (
               select wire, part from monitoring.share
               where wire = $1 and (owner is null or owner <> all($3::text[]))
               order by part limit $4 for update skip locked) free
           where s.wire = free.wire and s.part = free.part returning s.part""",
        *(wire, owner, list(alive), most),
    )
    return [row["part"] for row in rows]


async def give_up(sql: Connection, wire: str, owner: str, parts: Collection[int]) -> None:
    """These parts are nobody's."""
    await sql.execute(
        "update monitoring.share set owner = null where wire = $1 and owner = $2 and part = any($3::int[])",
        *(wire, owner, list(parts)),
    )


async def gone(sql: Connection, wire: str, owner: str) -> None:
    """The lander has ended; its parts are nobody's."""
    await sql.execute("update monitoring.share set owner = null where wire = $1 and owner = $2", wire, owner)
    await sql.execute("delete from monitoring.lander where wire = $1 and id = $2", wire, owner)


async def forget(sql: Connection, within: timedelta) -> None:
    """Landers not seen for so long are removed."""
    await sql.execute("delete from monitoring.lander where seen_at < clock_timestamp() - $1::interval", within)


async def held(sql: Connection, wire: str, owner: str, parts: Collection[int]) -> bool:
    """Whether all these parts are the owner's, and stay so until the transaction ends: the fence."""
    rows = await sql.fetch(
        "select part from monitoring.share where wire = $1 and part = any($2::int[]) and owner = $3 for share",
        *(wire, list(parts), owner),
    )
    return len(rows) == len(parts)
