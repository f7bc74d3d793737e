"""SQL of retention: the policies, what is due, what is evidence, what stands for what was thinned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bedside.foundation.database import Connection
from bedside.monitoring.retention.model import Hour, Policy, Run


class Due(NamedTuple):
    """A device and metric with chunks that begin before a horizon."""

    device: int
    name: str
    metric: int


async def policy(sql: Connection, tenant: int, kind: str) -> Policy | None:
    """The one that holds."""
    row = await sql.fetchrow(
        """select thin_days, delete_days, reason, by_name, at, n from monitoring.retention
           where tenant = $1 and kind = $2 order by n desc limit 1""",
        *(tenant, kind),
    )
    return None if row is None else Policy(**row)


async def put_policy(sql: Connection, tenant: int, kind: str, policy: Policy, by: str) -> None:
    """One more; it holds from now on. by: the actor's id."""
    await sql.execute(
        """insert into monitoring.retention (tenant, kind, thin_days, delete_days, reason, by_id, by_name, at)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(tenant, kind, policy.thin_days, policy.delete_days, policy.reason, by, policy.by_name, policy.at),
    )


async def tenants(sql: Connection) -> list[int]:
    """Those with any policy."""
    return [row["tenant"] for row in await sql.fetch("select distinct tenant from monitoring.retention order by 1")]


async def due(sql: Connection, tenant: int, before: int, policy: int | None) -> list[Due]:
    """Devices and metrics with chunks that begin before then. policy: without those that it judged until then already;
    None: all of them. Letters have no mean: with a policy they are left out too."""
    rows = await sql.fetch(
        """select c.device, d.name, c.metric from (
               select distinct device, metric from monitoring.chunk where tenant = $1 and t_min < $2) c
           join monitoring.device d on d.number = c.device
           join monitoring.metric m on m.number = c.metric
           left join monitoring.thinned_until u on u.device = c.device and u.metric = c.metric and u.policy = $3
           where $3::bigint is null or (m.quantity and coalesce(u.until, 0) < $2) order by c.device, c.metric""",
        *(tenant, before, policy),
    )
    return [Due(**row) for row in rows]


async def thinned_until(sql: Connection, device: int, metric: int, policy: int) -> int:
    """Until when it was judged under this policy; 0: not at all."""
    found = await sql.fetchval(
        "select until from monitoring.thinned_until where device = $1 and metric = $2 and policy = $3",
        *(device, metric, policy),
    )
    return int(found or 0)


async def judged(sql: Connection, device: int, metric: int, policy: int, until: int) -> None:
    """So far it has come."""
    await sql.execute(
        """insert into monitoring.thinned_until (device, metric, policy, until) values ($1, $2, $3, $4)
           on conflict (device, metric) do update set policy = excluded.policy, until = excluded.until""",
        *(device, metric, policy, until),
    )


async def spans(
    sql: Connection, device: int, metric: int, since: int, before: int, most: int
) -> list[tuple[int, int, int]]:
    """First and last device time and size of chunks that end at `since` or later and begin before `before`."""
    rows = await sql.fetch(
        """select t_min, t_max, n from monitoring.chunk
           where device = $1 and metric = $2 and t_max >= $3 and t_min < $4 order by t_min limit $5""",
        *(device, metric, since, before, most),
    )
    return [(row["t_min"], row["t_max"], row["n"]) for row in rows]


async def hours(sql: Connection, device: int, metric: int, since: int, until: int) -> frozenset[int]:
    """Which hours of a span are summarised already."""
    rows = await sql.fetch(
        "select hour from monitoring.summary where device = $1 and metric = $2 and hour >= $3 and hour < $4",
        *(device, metric, since, until),
    )
    return frozenset(row["hour"] for row in rows)


async def add_hours(sql: Connection, tenant: int, device: int, metric: int, made: Sequence[Hour], at: datetime) -> None:
    """Hours in the place of their readings."""
    await sql.executemany(
        """insert into monitoring.summary (device, metric, hour, tenant, patient, n, low, high, mean, made_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)""",
        [(device, metric, h.begins, tenant, h.patient, h.count, h.low, h.high, h.mean, at) for h in made],
    )


async def old_hours(sql: Connection, tenant: int, before: int, after: int, most: int) -> list[Any]:
    """Hours before then, in order, those after `after` (µs), most many: device, metric, hour, patient, n."""
    found: list[Any] = await sql.fetch(
        """select device, metric, hour, patient, n from monitoring.summary
           where tenant = $1 and hour >= $3 and hour + 3600000000 <= $2 order by hour, device, metric limit $4""",
        *(tenant, before, after, most),
    )
    return found


async def drop_hours(sql: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Device, metric, hour."""
    await sql.executemany("delete from monitoring.summary where device = $1 and metric = $2 and hour = $3", rows)


async def findings(sql: Connection, tenant: int, patients: Sequence[str]) -> list[dict[str, Any]]:
    """Patient, since, until and finding of every alarm and late finding of these patients; until null: still open."""
    rows = await sql.fetch(
        """select patient, least(measured_at, raised_at) as since,
                  case when closed_at is null then null else greatest(coalesce(ended_at, measured_at), breach_at) end
                    as until, finding
           from monitoring.alarm where tenant = $1 and patient = any($2)
           union all
           select patient, first_at, last_at, finding from monitoring.late_finding
           where tenant = $1 and patient = any($2)""",
        *(tenant, list(patients)),
    )
    return [dict(row) for row in rows]


async def pointed_to(sql: Connection, tenant: int, patients: Sequence[str]) -> list[tuple[int, int, int]]:
    """Device, metric and time of readings that were taken back, or sent with two values."""
    rows = await sql.fetch(
        """select device, metric, time from monitoring.withdrawal where tenant = $1 and patient = any($2)
           union all
           select device, metric, time from monitoring.conflict where tenant = $1 and patient = any($2)""",
        *(tenant, list(patients)),
    )
    return [tuple(row) for row in rows]


async def add_run(sql: Connection, tenant: int, run: Run) -> None:
    """What a run did."""
    await sql.execute(
        """insert into monitoring.retention_run (tenant, at, thinned, hours, deleted, waves, notices)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        *(tenant, run.at, run.thinned, run.hours, run.deleted, run.waves, run.notices),
    )


async def runs(sql: Connection, tenant: int, most: int) -> list[Run]:
    """The newest first."""
    rows = await sql.fetch(
        """select thinned, hours, deleted, waves, notices, at from monitoring.retention_run
           where tenant = $1 order by n desc limit $2""",
        *(tenant, most),
    )
    return [Run(**row) for row in rows]


async def old_waves(sql: Connection, tenant: int, before: int, after: int, most: int) -> list[Any]:
    """Rows of minutes that ended before then, in order from `after` on: device, lead, t_min, t_max, patient."""
    found: list[Any] = await sql.fetch(
        """select device, lead, t_min, t_max, patient from monitoring.wave_minute
           where tenant = $1 and t_max < $2 and t_max >= $3 order by t_max, device, lead limit $4""",
        *(tenant, before, after, most),
    )
    return found


async def drop_waves(sql: Connection, rows: Sequence[tuple[int, int, int]]) -> None:
    """Device, lead, t_min."""
    await sql.executemany("delete from monitoring.wave_minute where device = $1 and lead = $2 and t_min = $3", rows)
