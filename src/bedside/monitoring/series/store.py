"""SQL of packs, the newest values, conflicts and withdrawals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection

PACK = (
    *("tenant", "device", "patient", "received_at", "seq", "digest"),
    *("t_min", "t_max", "metric", "time", "value", "flags", "sent_value", "sent_unit"),
)


async def append(sql: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Packs, in the order of PACK."""
    if len(rows) < 4:
        await sql.executemany(
            f"insert into monitoring.pack ({', '.join(PACK)}) "  # noqa: S608 - names of ours
            "values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            rows,
        )
        return
    await sql.copy_records_to_table("pack", schema_name="monitoring", columns=PACK, records=rows)


async def held(sql: Connection, spans: Sequence[tuple[int, int, int]]) -> list[tuple[int, int, int, float]]:
    """Every (device, metric, time, value) in spans of device time (device, first, last), ends included."""
    rows = await sql.fetch(
        """select s.device, u.metric, u.time, u.value
           from unnest($1::int[], $2::bigint[], $3::bigint[]) as s (device, first, last)
           join monitoring.pack p on p.device = s.device and p.t_max >= s.first and p.t_min <= s.last
           cross join lateral unnest(p.metric, p.time, p.value) as u (metric, time, value)
           where u.time between s.first and s.last""",
        *([span[n] for span in spans] for n in range(3)),
    )
    return [tuple(row) for row in rows]


async def repeated(sql: Connection, device: int, seq: int, digest: bytes) -> bool:
    """Whether this very pack is held: same counter, same bytes."""
    return bool(
        await sql.fetchval(
            """select exists (select from monitoring.pack where device = $1 and seq = $2 and digest = $3)""",
            *(device, seq, digest),
        )
    )


async def add_conflicts(sql: Connection, rows: Iterable[tuple[Any, ...]]) -> None:
    """tenant, device, metric, time, patient, kept, value, received_at; a conflict sent again is the same conflict."""
    await sql.executemany(
        """insert into monitoring.conflict (tenant, device, metric, time, patient, kept, value, received_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing""",
        rows,
    )


async def conflicts(sql: Connection, tenant: int, patient: str) -> list[dict[str, Any]]:
    """The newest first."""
    rows = await sql.fetch(
        """select c.device as number, d.name as device, c.metric, c.time, c.kept, c.value, c.received_at
           from monitoring.conflict c join monitoring.device d on d.number = c.device
           where c.tenant = $1 and c.patient = $2 order by c.time desc limit 500""",
        *(tenant, patient),
    )
    return [dict(row) for row in rows]


async def hold_latest(sql: Connection, tenant: int, patients: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The newest values of patients, their rows locked in one order until the transaction ends: whoever has them
    judges these patients, alone."""
    lock = """select patient, newest from monitoring.latest where tenant = $1 and patient = any($2)
              order by patient for no key update"""
    rows = await sql.fetch(lock, tenant, patients)
    if len(rows) < len(patients):
        await sql.execute(
            """insert into monitoring.latest (tenant, patient) select $1, p from unnest($2::text[]) as u (p)
               order by p on conflict do nothing""",
            *(tenant, patients),
        )
        rows = await sql.fetch(lock, tenant, patients)
    return {row["patient"]: row["newest"] for row in rows}


async def set_latest(sql: Connection, tenant: int, patients: Sequence[str], newest: Sequence[dict[str, Any]]) -> None:
    """Write them back."""
    await sql.execute(
        """update monitoring.latest l set newest = u.newest
           from unnest($2::text[], $3::jsonb[]) as u (patient, newest)
           where l.tenant = $1 and l.patient = u.patient""",
        *(tenant, patients, newest),
    )


async def latest(sql: Connection, tenant: int, patients: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The newest values, not locked."""
    rows = await sql.fetch(
        "select patient, newest from monitoring.latest where tenant = $1 and patient = any($2)", tenant, patients
    )
    return {row["patient"]: row["newest"] for row in rows}


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
        f"""select u.metric as number, u.value as raw, u.time, u.flags as bits, p.patient, p.device as device_number,
                   p.received_at, d.name as device, d.kind as device_kind, d.source, d.method,
                   u.sent_value, u.sent_unit, w.time is not null as withdrawn
            from monitoring.pack p
            join monitoring.device d on d.number = p.device
            cross join unnest(p.metric, p.time, p.value, p.flags, p.sent_value, p.sent_unit)
             as u (metric, time, value, flags, sent_value, sent_unit)
            left join monitoring.withdrawal w on w.device = p.device and w.metric = u.metric and w.time = u.time
            where p.tenant = $1 and p.patient = $2 and p.t_max >= $4 and p.t_min < $5
              and u.metric = any($3::int2[]) and u.time >= $4 and u.time < $5 and ($6 or w.time is null)
            order by u.time {order} limit $7""",  # noqa: S608 - asc or desc
        *(tenant, patient, list(metrics), since, until, withdrawn, limit),
    )
    return [dict(row) for row in rows]


async def by_identity(
    sql: Connection, tenant: int, devices: Sequence[int], metrics: Sequence[int], times: Sequence[int]
) -> list[dict[str, Any]]:
    """Readings by their identities (three parallel columns), with what is known of their withdrawal."""
    rows = await sql.fetch(
        """select u.metric as number, u.value as raw, u.time, u.flags as bits, p.patient, p.device as device_number,
                  p.received_at, d.name as device, d.kind as device_kind, d.source, d.method, d.performer,
                  u.sent_value, u.sent_unit, w.at as withdrawn_at
           from unnest($2::int[], $3::int2[], $4::bigint[]) as i (device, metric, time)
           join monitoring.pack p on p.device = i.device and p.t_max >= i.time and p.t_min <= i.time
           join monitoring.device d on d.number = p.device
           cross join unnest(p.metric, p.time, p.value, p.flags, p.sent_value, p.sent_unit)
             as u (metric, time, value, flags, sent_value, sent_unit)
           left join monitoring.withdrawal w on w.device = p.device and w.metric = u.metric and w.time = u.time
           where p.tenant = $1 and u.metric = i.metric and u.time = i.time""",
        *(tenant, devices, metrics, times),
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


async def unassigned(sql: Connection, tenant: int, device: int) -> list[dict[str, Any]]:
    """Packs of a device that wait for somebody to have held it then, locked."""
    rows = await sql.fetch(
        """select * from monitoring.pack where tenant = $1 and device = $2 and patient is null
           order by id for update""",
        *(tenant, device),
    )
    return [dict(row) for row in rows]


async def remove(sql: Connection, packs: Sequence[int]) -> None:
    """Packs that are put back at once, split by who held the device."""
    await sql.execute("delete from monitoring.pack where id = any($1)", packs)
