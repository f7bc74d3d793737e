"""SQL of long series: how many readings there are, and the lowest and highest of each stretch of time."""

from __future__ import annotations

from typing import NamedTuple

from bedside.foundation.database import Connection


class Extreme(NamedTuple):
    """A reading that is the lowest or the highest of its stretch. time: µs; anywhere in the stretch, if it comes from a
    whole chunk, of which only the value is known."""

    value: float
    time: int
    device: int


class Stretch(NamedTuple):
    """What lies in one of the stretches. gaps: those that end in it, from the last reading before to the next, µs."""

    low: Extreme
    high: Extreme
    gaps: list[list[int]]


class Extent(NamedTuple):
    """About how many readings a span holds (held), of which devices, and between which device times (µs) they lie."""

    held: int
    devices: list[int]
    first: int
    last: int


async def extent(sql: Connection, tenant: int, patient: str, metric: int, since: int, until: int) -> Extent:
    """By whole chunks and packs: a little more than the span may be counted."""
    row = await sql.fetchrow(
        """select coalesce(sum(n), 0)::bigint as held, array_agg(distinct device) as devices,
                  min(t_min) as first, max(t_max) as last
           from (
               select n, device, t_min, t_max from monitoring.chunk
               where tenant = $1 and patient = $2 and metric = $3 and t_max >= $4 and t_min < $5
               union all
               select (select count(*) from unnest(p.metric) as u (metric) where u.metric = $3), p.device, p.t_min,
                      p.t_max
               from monitoring.pack p
               where p.tenant = $1 and p.patient = $2 and p.t_max >= $4 and p.t_min < $5) one""",
        *(tenant, patient, metric, since, until),
    )
    if not row["held"]:
        return Extent(0, [], since, until)
    return Extent(row["held"], row["devices"], max(since, row["first"]), min(until, row["last"] + 1))


async def tail(sql: Connection, tenant: int, patient: str, metric: int, until: int) -> int | None:
    """Where the last but one chunk before `until` begins: from there on lie some hundred readings, and few thousand."""
    found: int | None = await sql.fetchval(
        """select min(t_min) from (
               select t_min from monitoring.chunk where tenant = $1 and patient = $2 and metric = $3 and t_max < $4
               order by t_max desc limit 2) one""",
        *(tenant, patient, metric, until),
    )
    return found


async def stretches(
    sql: Connection, tenant: int, patient: str, metric: int, since: int, until: int, width: int, fresh: int
) -> list[Stretch]:
    """Those of `width` µs that hold a valid reading (not withdrawn), in order. fresh: µs, a longer silence is a gap.

    Of a chunk that is shorter than a stretch, and of which nothing was withdrawn, the lowest and highest value that
    stand in its row are taken, without opening it; or of its blocks, where these are shorter. So a year costs little
    more than a day.
    """
    rows = await sql.fetch(
        """with chunk as materialized (
               select c.device, c.t_min, c.t_max, c.low, c.high, c.block_begin, c.block_end, c.block_low,
                      c.block_high,
                      case when c.t_min < $4 or c.t_max >= $5 or c.block_span >= $6
                             or exists (select from monitoring.withdrawal w where w.device = c.device
                                        and w.metric = $3 and w.time between c.t_min and c.t_max) then 'open'
                           when c.t_max - c.t_min < $6 then 'whole' else 'blocks' end as taken
               from monitoring.chunk c
               where c.tenant = $1 and c.patient = $2 and c.metric = $3 and c.t_max >= $4 and c.t_min < $5
           ), piece as (
               select device, t_min as begins, t_max as ends, low, high from chunk where taken = 'whole'
               union all
               select c.device, c.t_min + u.begins, c.t_min + u.ends, u.low, u.high
               from chunk c
               cross join lateral unnest(c.block_begin, c.block_end, c.block_low, c.block_high)
                 as u (begins, ends, low, high)
               where c.taken = 'blocks'
               union all
               select o.device, o.time, o.time, o.value, o.value
               from (select c.device, c.t_min + u.place as time, u.value
                     from chunk p join monitoring.chunk c on c.device = p.device and c.metric = $3 and c.t_min = p.t_min
                     cross join lateral unnest(c.place, c.value) as u (place, value)
                     where p.taken = 'open'
                     union all
                     select p.device, u.time, u.value
                     from monitoring.pack p
                     cross join lateral unnest(p.metric, p.time, p.value) as u (metric, time, value)
                     where p.tenant = $1 and p.patient = $2 and u.metric = $3 and p.t_max >= $4 and p.t_min < $5) o
               left join monitoring.withdrawal w on w.device = o.device and w.metric = $3 and w.time = o.time
               where o.time >= $4 and o.time < $5 and w.time is null
           ), after as (
               select *, max(ends) over (order by begins rows between unbounded preceding and 1 preceding) as before
               from piece
           )
           select min(array[low, begins, device]) as low, max(array[high, ends, device]) as high,
                  array_agg(array[before, begins] order by begins) filter (where begins - before > $7) as gaps
           from after group by (begins - $4) / $6 order by (begins - $4) / $6""",
        *(tenant, patient, metric, since, until, width, fresh),
    )
    return [Stretch(_extreme(row["low"]), _extreme(row["high"]), row["gaps"] or []) for row in rows]


def _extreme(row: list[float]) -> Extreme:
    return Extreme(row[0], int(row[1]), int(row[2]))


async def devices(sql: Connection, numbers: list[int]) -> dict[int, tuple[str, str, str]]:
    """Name, kind and source of devices by number."""
    rows = await sql.fetch("select number, name, kind, source from monitoring.device where number = any($1)", numbers)
    return {row["number"]: (row["name"], row["kind"], row["source"]) for row in rows}
