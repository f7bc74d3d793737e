"""SQL of the hours that stand for readings that were thinned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bedside.foundation.database import Connection


async def stretches(
    sql: Connection, tenant: int, patient: str, metric: int, since: int, until: int, width: int
) -> list[dict[str, Any]]:
    """Hours of a span put together by stretches of `width` µs: first, last (the end), n, low, high, mean."""
    rows = await sql.fetch(
        """select min(hour) as first, max(hour) + 3600000000 as last, sum(n)::bigint as n, min(low) as low,
                  max(high) as high, sum(mean * n) / sum(n) as mean
           from monitoring.summary
           where tenant = $1 and patient = $2 and metric = $3 and hour + 3600000000 > $4 and hour < $5
           group by (hour - $4) / $6 order by 1""",
        *(tenant, patient, metric, since, until, width),
    )
    return [dict(row) for row in rows]


async def by_hour(
    sql: Connection, tenant: int, devices: Sequence[int], metrics: Sequence[int], hours: Sequence[int]
) -> list[dict[str, Any]]:
    """Hours by device, metric and beginning (three parallel columns)."""
    rows = await sql.fetch(
        """select s.device as device_number, s.metric as number, s.hour, s.patient, s.n, s.low, s.high, s.mean,
                  s.made_at, d.name as device, d.kind as device_kind, d.source
           from unnest($2::int[], $3::int2[], $4::bigint[]) as i (device, metric, hour)
           join monitoring.summary s on s.device = i.device and s.metric = i.metric and s.hour = i.hour
           join monitoring.device d on d.number = s.device and d.tenant = $1""",
        *(tenant, devices, metrics, hours),
    )
    return [dict(row) for row in rows]
