"""The judge's memory: one row a patient, locked while that patient is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.alarms.model import Delay
from bedside.monitoring.alarms.store.alarms import delays_of
from bedside.monitoring.rules.model.limits import PatientLimit
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.store import limits_of, profile_of


@dataclass(slots=True)
class Memory:
    """What the judge knows of a patient. heard: device to (when, its kind). open_causes: the open alarm of each.
    recent: the last readings of the metrics that a rule of theirs looks back at."""

    patient: str
    profile: Profile
    own: tuple[PatientLimit, ...]
    newest: dict[str, Measured]
    weights: list[Measured]
    heard: dict[str, tuple[datetime, str]]
    open_causes: dict[str, OpenAlarm]
    recent: dict[str, list[Measured]] = field(default_factory=dict)


@dataclass(slots=True)
class OpenAlarm:
    """An open alarm, as far as the judge needs it."""

    id: str
    episode: str
    priority: str
    state: str
    breach_at: datetime
    rule: str = ""
    pending_until: datetime | None = None
    delays: dict[str, Delay] = field(default_factory=dict)


def packed(reading: Measured) -> list[Any]:
    """A reading as a JSON array."""
    return [
        reading.id,
        reading.metric,
        reading.value,
        reading.unit,
        reading.device_time.isoformat(),
        reading.received_at.isoformat(),
        reading.device,
        reading.source,
        sorted(reading.flags),
    ]


def unpacked(row: list[Any]) -> Measured:
    """The reading again."""
    at, received = datetime.fromisoformat(row[4]), datetime.fromisoformat(row[5])
    return Measured(row[0], row[1], row[2], row[3], at, received, row[6], row[7], frozenset(row[8]))


async def locked(sql: Connection, tenant: int, patients: Sequence[str]) -> list[Memory]:
    """The patients' memories, locked in one order so that no two judges wait for each other in a circle."""
    lock = "select from monitoring.watch where tenant = $1 and patient = any($2) order by patient for update"
    if len(await sql.fetch(lock, tenant, list(patients))) < len(patients):
        await sql.execute(
            """insert into monitoring.watch (tenant, patient) select $1, p from unnest($2::text[]) as u (p)
               order by p on conflict do nothing""",
            *(tenant, sorted(patients)),
        )
        await sql.fetch(lock, tenant, list(patients))
    # A statement of its own: what the last holder of the locks committed is seen only by a snapshot taken after them.
    return await read(sql, tenant, patients)


async def everybody(sql: Connection, tenant: int) -> list[str]:
    """All patients who were ever judged."""
    rows = await sql.fetch("select patient from monitoring.watch where tenant = $1 order by patient", tenant)
    return [row["patient"] for row in rows]


async def read(sql: Connection, tenant: int, patients: Sequence[str]) -> list[Memory]:
    """The same without the lock; of a patient never heard of it is empty."""
    rows = await sql.fetch(
        """
        select u.patient, coalesce(w.newest, '{}') as newest, coalesce(w.weights, '{}') as weights,
            coalesce(w.heard, '{}') as heard, coalesce(w.recent, '{}') as recent, p.birth_date, p.pregnant,
            p.news2_scale, p.news2_applies, p.programmes,
            (select jsonb_agg(to_jsonb(l)) from monitoring.patient_limit l
             where l.tenant = $1 and l.patient = u.patient and l.ended_at is null) as own,
            (select jsonb_object_agg(a.cause, jsonb_build_array(a.id, a.episode, a.priority, a.state, a.breach_at,
                                                                a.finding ->> 'rule', a.pending_until, a.delays))
             from monitoring.alarm a
             where a.tenant = $1 and a.patient = u.patient and a.closed_at is null) as open
        from unnest($2::text[]) u (patient)
        -- Named twice: of unnest the planner knows too little to use an index, and would read every patient.
        left join monitoring.watch w on w.tenant = $1 and w.patient = u.patient and w.patient = any($2)
        left join monitoring.profile p on p.tenant = $1 and p.patient = u.patient and p.patient = any($2)
        order by u.patient
        """,
        tenant,
        list(patients),
    )
    return [_memory(row) for row in rows]


def _memory(row: Any) -> Memory:
    return Memory(
        patient=row["patient"],
        profile=profile_of(row),
        own=limits_of(row["own"]),
        newest={metric: unpacked(found) for metric, found in row["newest"].items()},
        weights=[unpacked(found) for found in row["weights"].values()],
        heard={device: (datetime.fromisoformat(at), kind) for device, (at, kind) in row["heard"].items()},
        open_causes={
            cause: OpenAlarm(
                *(alarm, episode, priority, state, datetime.fromisoformat(breach_at), rule or ""),
                pending_until=datetime.fromisoformat(until) if until else None,
                delays=delays_of(delays),
            )
            for cause, (alarm, episode, priority, state, breach_at, rule, until, delays) in (row["open"] or {}).items()
        },
        recent={metric: [unpacked(one) for one in found] for metric, found in row["recent"].items()},
    )


async def expecting(sql: Connection, tenant: int, device: str) -> list[str]:
    """The patients in whose memory a device is."""
    rows = await sql.fetch(
        "select patient from monitoring.watch where tenant = $1 and heard ? $2 order by patient", tenant, device
    )
    return [row["patient"] for row in rows]


async def keep(sql: Connection, tenant: int, memories: Sequence[Memory]) -> None:
    """Write them back, in one statement."""
    await sql.execute(
        """
        update monitoring.watch w
        set newest = new.newest, weights = new.weights, heard = new.heard, recent = new.recent
        from unnest($2::text[], $3::jsonb[], $4::jsonb[], $5::jsonb[], $6::jsonb[])
            as new (patient, newest, weights, heard, recent)
        where w.tenant = $1 and w.patient = new.patient and w.patient = any($2)
        """,
        tenant,
        [memory.patient for memory in memories],
        [{metric: packed(found) for metric, found in memory.newest.items()} for memory in memories],
        [{found.id: packed(found) for found in memory.weights} for memory in memories],
        [{device: [at.isoformat(), kind] for device, (at, kind) in memory.heard.items()} for memory in memories],
        [{metric: [packed(one) for one in found] for metric, found in memory.recent.items()} for memory in memories],
    )
