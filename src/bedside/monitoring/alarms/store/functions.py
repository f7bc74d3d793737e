"""SQL of functions that are switched on and off."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from bedside.foundation.database import Connection


class Switched(NamedTuple):
    """The last switch of a function."""

    enabled: bool
    reason: str
    by_name: str
    at: datetime


async def last(sql: Connection, tenant: int, name: str) -> Switched | None:
    """None where nobody ever switched it."""
    row = await sql.fetchrow(
        """select enabled, reason, by_name, at from monitoring.function_switch
           where tenant = $1 and name = $2 order by n desc limit 1""",
        *(tenant, name),
    )
    return None if row is None else Switched(**row)


async def put(sql: Connection, tenant: int, name: str, by: tuple[str, str], switched: Switched) -> None:
    """One more switch. by: id and name."""
    await sql.execute(
        """insert into monitoring.function_switch (tenant, name, enabled, reason, by_id, by_name, at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        *(tenant, name, switched.enabled, switched.reason, *by, switched.at),
    )
