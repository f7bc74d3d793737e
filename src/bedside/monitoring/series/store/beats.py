"""SQL of the last beats of several patients: intervals between beats as they lie in packs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bedside.foundation.database import Connection


class Beats(NamedTuple):
    """Of one device of a patient, in order of device time (µs). interval: ms."""

    patient: str
    device: int
    name: str
    time: list[int]
    interval: list[float]


async def last(
    sql: Connection, tenant: int, patients: Sequence[str], metric: int, since: Sequence[int], unfit: int
) -> list[Beats]:
    """What patients' devices sent from `since` on (µs, one for each), in one statement; not yet in chunks, being new.

    Readings with a bit of `unfit`, and withdrawn ones, are left out.
    """
    rows = await sql.fetch(
        """select s.patient, p.device, d.name, array_agg(u.time order by u.time) as time,
                  array_agg(u.value order by u.time) as interval
           from unnest($2::text[], $4::bigint[]) as s (patient, since)
           join monitoring.pack p on p.tenant = $1 and p.patient = s.patient and p.t_max >= s.since
           join monitoring.device d on d.number = p.device
           cross join lateral unnest(p.metric, p.time, p.value, p.flags) as u (metric, time, value, flags)
           left join monitoring.withdrawal w on w.device = p.device and w.metric = $3 and w.time = u.time
           where u.metric = $3 and u.time >= s.since and u.flags & $5 = 0 and w.time is null
           group by s.patient, p.device, d.name order by s.patient, p.device""",
        *(tenant, list(patients), metric, list(since), unfit),
    )
    return [Beats(**row) for row in rows]
