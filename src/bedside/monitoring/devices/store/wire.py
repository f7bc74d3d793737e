"""SQL of the wire: whether readings can come in at all."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from bedside.foundation.database import Connection


class Wire(NamedTuple):
    """beat: when an ingest process last heard the broker and reached the database. hears_since: since when without a
    gap. told: whether its silence was told."""

    beat: datetime
    hears_since: datetime
    told: bool


async def beat(sql: Connection, at: datetime, gap: timedelta) -> None:
    """An ingest process can hear. After a longer gap than `gap` it hears only from now on."""
    await sql.execute(
        """insert into monitoring.wire as w (beat, hears_since) values ($1, $1)
           on conflict (id) do update set beat = $1, told_at = null,
             hears_since = case when $1 - w.beat > $2::interval then $1 else w.hears_since end""",
        *(at, gap),
    )


async def state(sql: Connection) -> Wire | None:
    """None where no ingest process ever ran."""
    row = await sql.fetchrow("select beat, hears_since, told_at is not null as told from monitoring.wire")
    return None if row is None else Wire(**row)


async def told(sql: Connection, at: datetime) -> bool:
    """That it is deaf is told now; whether it had not been."""
    done = await sql.execute("update monitoring.wire set told_at = $1 where told_at is null", at)
    return bool(done == "UPDATE 1")


async def tenants(sql: Connection) -> list[int]:
    """Those who have devices."""
    rows = await sql.fetch("select distinct tenant from monitoring.device where state = 'active' and typist is null")
    return [row["tenant"] for row in rows]
