"""SQL of conflicts and of withdrawals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection


async def add_conflicts(sql: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """tenant, device, metric, time, patient, kept, value, received_at; a conflict sent again is the same conflict."""
    await sql.executemany(
        """insert into monitoring.conflict (tenant, device, metric, time, patient, kept, value, received_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing""",
        rows,
    )


async def conflicts(sql: Connection, tenant: int, patient: str, time: int | None = None) -> list[dict[str, Any]]:
    """The newest first. time: of this device time alone, in µs."""
    rows = await sql.fetch(
        """select c.device as number, d.name as device, d.source, c.metric, c.time, c.kept, c.value, c.received_at,
           exists (select from monitoring.withdrawal w where w.tenant = c.tenant and w.device = c.device
                   and w.metric = c.metric and w.time = c.time) as withdrawn
           from monitoring.conflict c join monitoring.device d on d.number = c.device
           where c.tenant = $1 and c.patient = $2 and ($3::bigint is null or c.time = $3)
           order by c.time desc, c.received_at desc limit 500""",
        *(tenant, patient, time),
    )
    return [dict(row) for row in rows]


async def withdraw(
    sql: Connection,
    tenant: int,
    identities: Sequence[tuple[int, int, int]],
    patient: str,
    reason: str,
    by: tuple[str, str],
    at: datetime,
) -> None:
    """Mark readings as entered in error. Doing it twice keeps the first reason."""
    await sql.executemany(
        """insert into monitoring.withdrawal (tenant, device, metric, time, patient, reason, by_id, by_name, at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing""",
        [(tenant, *identity, patient, reason, *by, at) for identity in identities],
    )
