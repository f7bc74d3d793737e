"""SQL of the past under another limit: when readings would have been outside it, and for how long."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from bedside.foundation.database import Connection

OUTSIDE = {
    ">": ("{} > $6", "{high} > $6"),
    ">=": ("{} >= $6", "{high} >= $6"),
    "<": ("{} < $6", "{low} < $6"),
    "<=": ("{} <= $6", "{low} <= $6"),
}
"""By comparison: a value outside the limit, and a chunk that may hold one."""


class Episode(NamedTuple):
    """A patient's value was outside the limit. since, until: device times (µs) of the first and last such reading."""

    patient: str
    since: int
    until: int


async def patient_days(sql: Connection, tenant: int, patients: Collection[str] | None, since: int, until: int) -> int:
    """On how many days how many patients were measured at all, by UTC days of device time."""
    found = await sql.fetchval(
        """select count(*) from (
               select c.patient, (c.t_min + u.place) / 86400000000 as day
               from monitoring.chunk c
               cross join lateral unnest(case when c.block_span < 86400000000 then c.block_begin || c.block_end
                                         else c.place end) as u (place)
               where c.tenant = $1 and ($2::text[] is null or c.patient = any($2)) and c.t_max >= $3 and c.t_min < $4
                 and c.t_min + u.place >= $3 and c.t_min + u.place < $4
               union
               select p.patient, u.time / 86400000000
               from monitoring.pack p cross join lateral unnest(p.time) as u (time)
               where p.tenant = $1 and p.patient is not null and ($2::text[] is null or p.patient = any($2))
                 and p.t_max >= $3 and p.t_min < $4 and u.time >= $3 and u.time < $4) one""",
        *(tenant, None if patients is None else list(patients), since, until),
    )
    return int(found)


async def episodes(
    sql: Connection,
    tenant: int,
    patients: Sequence[str],
    metric: int,
    span: tuple[int, int],
    comparison: str,
    limit: float,
    settle: int,
    unfit: int,
) -> list[Episode]:
    """Spans of time (µs, until not) in which readings lay outside a limit, in order of patient and time.

    An episode ends with the first reading within the limit that comes `settle` µs or more after the last one outside
    it, as an alarm does. Readings with a bit of `unfit`, and withdrawn ones, are left out. A chunk whose extremes lie
    within the limit is not opened: it says only that all was well until its end.
    """
    value, may = OUTSIDE[comparison]
    crosses = may.format(low="c.low", high="c.high")
    rows = await sql.fetch(
        f"""with reading as (
               select c.patient, c.t_max as time, false as outside
               from monitoring.chunk c
               where c.tenant = $1 and c.patient = any($2) and c.metric = $3 and c.t_min >= $4 and c.t_max < $5
                 and not ({crosses})
               union all
               select r.patient, r.time, {value.format("r.value")}
               from (select c.patient, c.device, c.t_min + u.place as time, u.value, coalesce(u.flags, 0) as flags
                     from monitoring.chunk c
                     cross join lateral unnest(c.place, c.value, c.flags) as u (place, value, flags)
                     where c.tenant = $1 and c.patient = any($2) and c.metric = $3 and c.t_max >= $4 and c.t_min < $5
                       and (c.t_min < $4 or c.t_max >= $5 or {crosses})
                     union all
                     select p.patient, p.device, u.time, u.value, u.flags
                     from monitoring.pack p
                     cross join lateral unnest(p.metric, p.time, p.value, p.flags) as u (metric, time, value, flags)
                     where p.tenant = $1 and p.patient = any($2) and p.t_max >= $4 and p.t_min < $5 and u.metric = $3) r
               left join monitoring.withdrawal w on w.device = r.device and w.metric = $3 and w.time = r.time
               where r.time >= $4 and r.time < $5 and r.flags & $8 = 0 and w.time is null
           ), known as (
               select *, max(time) filter (where outside) over before as breach, max(time) filter (where not outside)
                   over before as calm
               from reading
               window before as (partition by patient order by time rows between unbounded preceding and 1 preceding)
           ), numbered as (
               select patient, time, count(*) filter (where breach is null or calm >= breach + $7)
                   over (partition by patient order by time) as n
               from known where outside
           )
           select patient, min(time) as since, max(time) as until from numbered group by patient, n
           order by patient, since""",  # noqa: S608 - comparisons of ours
        *(tenant, patients, metric, *span, limit, settle, unfit),
    )
    return [Episode(**row) for row in rows]
