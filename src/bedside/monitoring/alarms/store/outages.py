"""SQL of outages: what one cause has silenced."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bedside.foundation.database import Connection


class Outage(NamedTuple):
    """devices: name to patient. since: when they were last heard; found_at: when that was seen to be one matter."""

    id: int
    tenant: int
    scope: str
    name: str
    since: datetime
    found_at: datetime
    devices: dict[str, str]


COLUMNS = "id, tenant, scope, name, since, found_at, devices"


async def running(sql: Connection, tenant: int | None = None) -> list[Outage]:
    """Those that stand, of one tenant or of all."""
    rows = await sql.fetch(
        f"""select {COLUMNS} from monitoring.outage
            where ended_at is null and ($1::int is null or tenant = $1) order by found_at""",  # noqa: S608
        tenant,
    )
    return [Outage(**row) for row in rows]


async def join(
    sql: Connection, tenant: int, scope: str, name: str, since: datetime, at: datetime, device: str, patient: str
) -> bool:
    """Put a device into the outage, which begins if there is none; whether it began."""
    began: bool = await sql.fetchval(
        """insert into monitoring.outage as o (tenant, scope, name, since, found_at, devices)
           values ($1, $2, $3, $4, $5, jsonb_build_object($6::text, $7::text))
           on conflict (tenant, scope, name) where ended_at is null do update
           set devices = o.devices || excluded.devices
           returning xmax = 0""",
        *(tenant, scope, name, since, at, device, patient),
    )
    return began


async def end(sql: Connection, id: int, at: datetime) -> None:
    """It is over."""
    await sql.execute("update monitoring.outage set ended_at = $2 where id = $1", id, at)
