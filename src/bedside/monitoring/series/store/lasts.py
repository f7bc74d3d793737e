"""SQL of the last readings of several patients' metrics, wherever they stand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from bedside.foundation.database import Connection


class Wanted(NamedTuple):
    """At most `most` readings of a metric (its number) of a patient, since that device time (µs)."""

    patient: str
    metric: int
    since: int
    most: int


async def lasts(sql: Connection, tenant: int, wanted: Sequence[Wanted], unfit: int) -> list[dict[str, Any]]:
    """Rows as readings.readings has them, oldest first, in one statement. Of a device that never pauses only the last
    chunks are opened: they hold more than is ever asked for.

    Readings with a bit of `unfit`, of a cuffless device, and withdrawn ones are left out.
    """
    rows = await sql.fetch(
        """select r.*, n.patient, n.metric as number, null::float8 as sent_value, null::text as sent_unit
           from unnest($2::text[], $3::int2[], $4::bigint[], $5::int[]) as n (patient, metric, since, most)
           cross join lateral (
               select r.value as raw, r.time, r.flags as bits, r.device as device_number, r.received_at,
                      d.name as device, d.kind as device_kind, d.source, d.method
               from (select p.device, p.received_at, u.time, u.value, u.flags
                     from monitoring.pack p
                     cross join lateral unnest(p.metric, p.time, p.value, p.flags) as u (metric, time, value, flags)
                     where p.tenant = $1 and p.patient = n.patient and p.t_max >= n.since and u.metric = n.metric
                     union all
                     select c.device, c.received_at + u.received * interval '1 microsecond', c.t_min + u.place,
                            u.value, coalesce(u.flags, 0)
                     from (select * from monitoring.chunk c
                           where c.tenant = $1 and c.patient = n.patient and c.metric = n.metric and c.t_max >= n.since
                           order by c.t_max desc limit 8) c
                     cross join lateral unnest(c.place, c.received, c.value, c.flags)
                       as u (place, received, value, flags)) r
               join monitoring.device d on d.number = r.device and d.method is distinct from 'cuffless'
               left join monitoring.withdrawal w on w.device = r.device and w.metric = n.metric and w.time = r.time
               where r.time >= n.since and r.flags & $6 = 0 and w.time is null
               order by r.time desc limit n.most) r
           order by r.time""",
        *(tenant, *([one[k] for one in wanted] for k in range(4)), unfit),
    )
    return [dict(row) for row in rows]
