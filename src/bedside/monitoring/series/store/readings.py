"""SQL of readings, wherever they stand: in the packs they came in, or in chunks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bedside.foundation.database import Connection


async def held(sql: Connection, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int, float]]:
    """Every (device, metric, time, value) in spans of device time (device, first, last), ends included."""
    rows = await sql.fetch(
        """with s as (select * from unnest($1::int[], $2::bigint[], $3::bigint[]) as s (device, first, last))
           select s.device, u.metric, u.time, u.value
           from s join monitoring.pack p on p.device = s.device and p.t_max >= s.first and p.t_min <= s.last
           cross join lateral unnest(p.metric, p.time, p.value) as u (metric, time, value)
           where u.time between s.first and s.last
           union all
           select s.device, c.metric, c.t_min + u.place, u.value
           from s cross join monitoring.metric m
           join monitoring.chunk c on c.device = s.device and c.metric = m.number and c.t_min <= s.last
             and c.t_min >= coalesce((select max(b.t_min) from monitoring.chunk b where b.device = s.device
                                      and b.metric = m.number and b.t_min <= s.first), s.first)
           cross join lateral unnest(c.place, c.value) as u (place, value)
           where c.t_min + u.place between s.first and s.last""",
        *([span[n] for span in spans] for n in range(3)),
    )
    return [tuple(row) for row in rows]


async def readings(
    sql: Connection,
    tenant: int,
    patient: str,
    metrics: Sequence[int],
    since: int,
    until: int,
    *,
    limit: int = 100_000,
    newest_first: bool = False,
    withdrawn: bool = True,
) -> list[dict[str, Any]]:
    """Readings of a patient by device time, since included, until not."""
    order = "desc" if newest_first else "asc"
    rows = await sql.fetch(
        f"""select r.metric as number, r.value as raw, r.time, r.flags as bits, $2::text as patient,
                   r.device as device_number, r.received_at, d.name as device, d.kind as device_kind, d.source,
                   d.method, r.sent_value, r.sent_unit, w.time is not null as withdrawn
            from (select p.device, p.received_at, u.*
                  from monitoring.pack p
                  cross join lateral unnest(p.metric, p.time, p.value, p.flags, p.sent_value, p.sent_unit)
                    as u (metric, time, value, flags, sent_value, sent_unit)
                  where p.tenant = $1 and p.patient = $2 and u.metric = any($3::int2[])
                    and p.t_max >= $4 and p.t_min < $5
                  union all
                  select c.device, c.received_at + u.received * interval '1 microsecond', c.metric, c.t_min + u.place,
                         u.value, coalesce(u.flags, 0::int2), u.sent_value, u.sent_unit
                  from monitoring.chunk c
                  cross join lateral unnest(c.place, c.received, c.value, c.flags, c.sent_value, c.sent_unit)
                    as u (place, received, value, flags, sent_value, sent_unit)
                  where c.tenant = $1 and c.patient = $2 and c.metric = any($3::int2[])
                    and c.t_max >= $4 and c.t_min < $5) r
            join monitoring.device d on d.number = r.device
            left join monitoring.withdrawal w on w.device = r.device and w.metric = r.metric and w.time = r.time
            where r.time >= $4 and r.time < $5 and ($6 or w.time is null)
            order by r.time {order} limit $7""",  # noqa: S608 - asc or desc
        *(tenant, patient, list(metrics), since, until, withdrawn, limit),
    )
    return [dict(row) for row in rows]


async def by_identity(
    sql: Connection, tenant: int, devices: Sequence[int], metrics: Sequence[int], times: Sequence[int]
) -> list[dict[str, Any]]:
    """Readings by their identities (three parallel columns), with what is known of their withdrawal.

    An identity leads to its chunk: the last of its device and metric that begins at or before its time.
    """
    rows = await sql.fetch(
        """select i.metric as number, r.value as raw, i.time, r.flags as bits, r.patient, i.device as device_number,
                  r.received_at, d.name as device, d.kind as device_kind, d.source, d.method, d.performer,
                  r.sent_value, r.sent_unit, w.at as withdrawn_at
           from unnest($2::int[], $3::int2[], $4::bigint[]) as i (device, metric, time)
           join monitoring.device d on d.number = i.device and d.tenant = $1
           cross join lateral (
               select p.patient, p.received_at, u.value, u.flags, u.sent_value, u.sent_unit
               from monitoring.pack p
               cross join lateral unnest(p.metric, p.time, p.value, p.flags, p.sent_value, p.sent_unit)
                 as u (metric, time, value, flags, sent_value, sent_unit)
               where p.device = i.device and p.t_max >= i.time and p.t_min <= i.time
                 and u.metric = i.metric and u.time = i.time
               union all
               select c.patient, c.received_at + u.received * interval '1 microsecond', u.value,
                      coalesce(u.flags, 0::int2), u.sent_value, u.sent_unit
               from (select * from monitoring.chunk c where c.device = i.device and c.metric = i.metric
                     and c.t_min <= i.time order by c.t_min desc limit 1) c
               cross join lateral unnest(c.place, c.received, c.value, c.flags, c.sent_value, c.sent_unit)
                 as u (place, received, value, flags, sent_value, sent_unit)
               where c.t_max >= i.time and u.place = i.time - c.t_min
           ) r
           left join monitoring.withdrawal w on w.device = i.device and w.metric = i.metric and w.time = i.time""",
        *(tenant, devices, metrics, times),
    )
    return [dict(row) for row in rows]
