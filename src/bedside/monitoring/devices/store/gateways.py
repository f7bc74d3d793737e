"""SQL of gateways: when each was last heard, and which device comes by which."""

from __future__ import annotations

from datetime import datetime

from bedside.foundation.database import Connection


async def heard(sql: Connection, tenant: int, name: str, device: int, at: datetime) -> None:
    """It is there, and carries this device."""
    await sql.execute(
        """insert into monitoring.gateway (tenant, name, heard_at) values ($1, $2, $3)
           on conflict (tenant, name) do update set heard_at = greatest(gateway.heard_at, excluded.heard_at)""",
        *(tenant, name, at),
    )
    await sql.execute(
        "update monitoring.device set via = $2 where number = $1 and via is distinct from $2", *(device, name)
    )


async def of_device(sql: Connection, tenant: int, device: str) -> tuple[str, datetime] | None:
    """The gateway that a device comes by, and when that was last heard."""
    row = await sql.fetchrow(
        """select g.name, g.heard_at from monitoring.device d
           join monitoring.gateway g on g.tenant = d.tenant and g.name = d.via
           where d.tenant = $1 and d.name = $2""",
        *(tenant, device),
    )
    return None if row is None else (row["name"], row["heard_at"])


async def heard_at(sql: Connection, tenant: int, name: str) -> datetime | None:
    """When a gateway was last heard."""
    found: datetime | None = await sql.fetchval(
        "select heard_at from monitoring.gateway where tenant = $1 and name = $2", *(tenant, name)
    )
    return found
