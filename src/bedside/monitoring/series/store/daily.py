"""SQL of one patient's days: the median of a metric, day by day."""

from __future__ import annotations

from bedside.foundation.database import Connection

DAY = 86_400_000_000


async def medians(
    sql: Connection, tenant: int, patient: str, metric: int, since: int, until: int, unfit: int
) -> list[tuple[float, int]]:
    """The median of each UTC day that has readings, and how many; oldest first. since, until: µs, until not.

    Readings with a bit of `unfit`, and withdrawn ones, are left out. One that came late counts like any other.
    """
    rows = await sql.fetch(
        """select percentile_cont(0.5) within group (order by r.value) as median, count(*) as readings
           from (select c.device, c.t_min + u.place as time, u.value, coalesce(u.flags, 0) as flags
                 from monitoring.chunk c
                 cross join lateral unnest(c.place, c.value, c.flags) as u (place, value, flags)
                 where c.tenant = $1 and c.patient = $2 and c.metric = $3 and c.t_max >= $4 and c.t_min < $5
                 union all
                 select p.device, u.time, u.value, u.flags
                 from monitoring.pack p
                 cross join lateral unnest(p.metric, p.time, p.value, p.flags) as u (metric, time, value, flags)
                 where p.tenant = $1 and p.patient = $2 and p.t_max >= $4 and p.t_min < $5 and u.metric = $3) r
           left join monitoring.withdrawal w on w.device = r.device and w.metric = $3 and w.time = r.time
           where r.time >= $4 and r.time < $5 and r.flags & $6 = 0 and w.time is null
           group by r.time / $7 order by r.time / $7""",
        *(tenant, patient, metric, since, until, unfit, DAY),
    )
    return [(row["median"], row["readings"]) for row in rows]
