"""The judge's memory: one row a patient, locked while that patient is judged."""

from __future__ import annotations

from collections.abc import KeysView, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from bedside.foundation.database import Connection
from bedside.monitoring.alarms.model import Delay
from bedside.monitoring.alarms.store.alarms import delays_of
from bedside.monitoring.devices.service.devices import EPOCH, microseconds
from bedside.monitoring.rules.model.limits import PatientLimit
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.store import limits_of, profile_of


class Reading(Protocol):
    """What the judge takes of a reading; series' own has it. time: device_time in µs since 1970. flags: see
    rules.model.measured."""

    @property
    def id(self) -> str: ...
    @property
    def metric(self) -> str: ...
    @property
    def value(self) -> float | str: ...
    @property
    def unit(self) -> str: ...
    @property
    def time(self) -> int: ...
    @property
    def device_time(self) -> datetime: ...
    @property
    def received_at(self) -> datetime: ...
    @property
    def device(self) -> str | None: ...
    @property
    def device_kind(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def flags(self) -> frozenset[str]: ...


Row = list[Any]
"""A reading as a JSON array: see `packed`."""


class Memory:
    """What the judge knows of a patient. heard: device to (when, its kind). open_causes: the open alarm of each.
    recent: the last readings of the metrics that a rule of theirs looks back at.

    Most packs only bring the newest values forward: these stay rows, as they are kept, until somebody reads them.
    """

    __slots__ = ("_newest", "_rows", "heard", "open_causes", "own", "patient", "profile", "recent", "rich", "weights")

    def __init__(
        self,
        patient: str,
        profile: Profile,
        own: tuple[PatientLimit, ...],
        rows: dict[str, Row],
        weights: list[Measured],
        heard: dict[str, tuple[datetime, str]],
        open_causes: dict[str, OpenAlarm],
        recent: dict[str, list[Measured]],
    ) -> None:
        self.patient = patient
        self.profile = profile
        self.own = own
        self._rows = rows
        self._newest: dict[str, Measured] | None = None
        self.weights = weights
        self.heard = heard
        self.open_causes = open_causes
        self.recent = recent
        self.rich = bool(weights or recent)
        """Whether it was kept with readings beside the newest."""

    @property
    def metrics(self) -> KeysView[str]:
        """Of which a newest value is known."""
        return self._rows.keys() if self._newest is None else self._newest.keys()

    @property
    def newest(self) -> dict[str, Measured]:
        """By metric; may be changed in place."""
        if self._newest is None:
            self._newest = {metric: unpacked(row) for metric, row in self._rows.items()}
        return self._newest

    @newest.setter
    def newest(self, newest: dict[str, Measured]) -> None:
        self._newest = newest

    def bring(self, row: Row) -> None:
        """Take a reading as the newest of its metric, unless a newer one is known."""
        metric = row[1]
        if self._newest is not None:
            known = self._newest.get(metric)
            if known is None or known.time <= row[TIME]:
                self._newest[metric] = unpacked(row)
            return
        stands = self._rows.get(metric)
        if stands is None or _time(stands[TIME]) <= row[TIME]:
            self._rows[metric] = row

    def rows(self) -> dict[str, Row]:
        """The newest values as they are kept."""
        if self._newest is None:
            return self._rows
        return {metric: packed(found) for metric, found in self._newest.items()}


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


TIME = 4


def packed(reading: Reading | Measured) -> Row:
    """A reading as a JSON array; times in µs since 1970."""
    return [
        reading.id,
        reading.metric,
        reading.value,
        reading.unit,
        reading.time,
        microseconds(reading.received_at),
        reading.device,
        reading.source,
        sorted(reading.flags),
    ]


def unpacked(row: Row) -> Measured:
    """The reading again."""
    at, received = EPOCH + timedelta(microseconds=_time(row[TIME])), EPOCH + timedelta(microseconds=_time(row[5]))
    return Measured(row[0], row[1], row[2], row[3], at, received, row[6], row[7], frozenset(row[8]))


def _time(kept: int | str) -> int:
    """Rows of an earlier Bedside hold ISO 8601."""
    return microseconds(datetime.fromisoformat(kept)) if isinstance(kept, str) else kept


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
        rows=row["newest"],
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
    """Write them back: what every pack changes in one statement, what few do in another."""
    await sql.execute(
        """
        update monitoring.watch w set newest = new.newest, heard = new.heard
        from unnest($2::text[], $3::jsonb[], $4::jsonb[]) as new (patient, newest, heard)
        where w.tenant = $1 and w.patient = new.patient and w.patient = any($2)
        """,
        tenant,
        [memory.patient for memory in memories],
        [memory.rows() for memory in memories],
        [{device: [at.isoformat(), kind] for device, (at, kind) in memory.heard.items()} for memory in memories],
    )
    rich = [memory for memory in memories if memory.rich or memory.weights or memory.recent]
    if rich:
        await sql.execute(
            """
            update monitoring.watch w set weights = new.weights, recent = new.recent
            from unnest($2::text[], $3::jsonb[], $4::jsonb[]) as new (patient, weights, recent)
            where w.tenant = $1 and w.patient = new.patient and w.patient = any($2)
            """,
            tenant,
            [memory.patient for memory in rich],
            [{found.id: packed(found) for found in memory.weights} for memory in rich],
            [{metric: [packed(one) for one in found] for metric, found in memory.recent.items()} for memory in rich],
        )
