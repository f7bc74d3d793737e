"""The judge's memory: one row a patient, locked while that patient is judged."""

from __future__ import annotations

from collections.abc import KeysView, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from bedside.foundation.database import Connection, texts
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


KEPT = "select patient, newest, weights, heard, recent from monitoring.watch where tenant = $1 and patient = any($2)"
LOCKED = f"{KEPT} order by patient for update"


async def locked(sql: Connection, tenant: int, patients: Sequence[str]) -> list[Memory]:
    """The patients' memories, locked in one order so that no two judges wait for each other in a circle."""
    kept = await sql.fetch(LOCKED, tenant, list(patients))
    if len(kept) < len(patients):
        await sql.execute(
            """insert into monitoring.watch (tenant, patient) select $1, p from unnest($2::text[]) as u (p)
               order by p on conflict do nothing""",
            *(tenant, sorted(patients)),
        )
        kept = await sql.fetch(LOCKED, tenant, list(patients))
    # The facts by a statement of their own: what the last holder of the locks committed is seen only by a snapshot
    # taken after them. The locked rows themselves are as that holder left them.
    return await _memories(sql, tenant, patients, kept)


async def everybody(sql: Connection, tenant: int) -> list[str]:
    """All patients who were ever judged."""
    rows = await sql.fetch("select patient from monitoring.watch where tenant = $1 order by patient", tenant)
    return [row["patient"] for row in rows]


async def read(sql: Connection, tenant: int, patients: Sequence[str]) -> list[Memory]:
    """The same without the lock; of a patient never heard of it is empty."""
    return await _memories(sql, tenant, patients, await sql.fetch(KEPT, tenant, list(patients)))


async def _memories(sql: Connection, tenant: int, patients: Sequence[str], kept: Sequence[Any]) -> list[Memory]:
    """From rows of the table and what else decides how these patients are judged, in order of patient."""
    facts = await sql.fetch(
        """
        select u.patient, p.birth_date, p.pregnant, p.news2_scale, p.news2_applies, p.programmes, l.own, a.open
        from unnest($2::text[]) u (patient)
        -- Each by the array: of unnest the planner knows too little to use an index, and would read every patient.
        left join monitoring.profile p on p.tenant = $1 and p.patient = u.patient and p.patient = any($2)
        left join (
            select patient, jsonb_agg(to_jsonb(l)) as own from monitoring.patient_limit l
            where tenant = $1 and patient = any($2) and ended_at is null group by patient
        ) l on l.patient = u.patient
        left join (
            select patient, jsonb_object_agg(cause, jsonb_build_array(
                id, episode, priority, state, breach_at, finding ->> 'rule', pending_until, delays)) as open
            from monitoring.alarm where tenant = $1 and patient = any($2) and closed_at is null group by patient
        ) a on a.patient = u.patient
        order by u.patient
        """,
        tenant,
        list(patients),
    )
    rows = {row["patient"]: row for row in kept}
    return [_memory(fact, rows.get(fact["patient"], NEVER)) for fact in facts]


NEVER: Final[Mapping[str, Mapping[str, Any]]] = {"newest": {}, "weights": {}, "heard": {}, "recent": {}}
"""The row of a patient who was never heard of."""


def _memory(fact: Any, row: Any) -> Memory:
    return Memory(
        patient=fact["patient"],
        profile=profile_of(fact),
        own=limits_of(fact["own"]),
        rows=dict(row["newest"]),
        weights=[unpacked(found) for found in row["weights"].values()],
        heard={device: (datetime.fromisoformat(at), kind) for device, (at, kind) in row["heard"].items()},
        open_causes={
            cause: OpenAlarm(
                *(alarm, episode, priority, state, datetime.fromisoformat(breach_at), rule or ""),
                pending_until=datetime.fromisoformat(until) if until else None,
                delays=delays_of(delays),
            )
            for cause, (alarm, episode, priority, state, breach_at, rule, until, delays) in (fact["open"] or {}).items()
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
        update monitoring.watch w set newest = new.newest::jsonb, heard = new.heard::jsonb
        from unnest($2::text[], $3::text[], $4::text[]) as new (patient, newest, heard)
        where w.tenant = $1 and w.patient = new.patient and w.patient = any($2)
        """,
        tenant,
        [memory.patient for memory in memories],
        texts(memory.rows() for memory in memories),
        texts({device: [at.isoformat(), kind] for device, (at, kind) in memory.heard.items()} for memory in memories),
    )
    rich = [memory for memory in memories if memory.rich or memory.weights or memory.recent]
    if rich:
        await sql.execute(
            """
            update monitoring.watch w set weights = new.weights::jsonb, recent = new.recent::jsonb
            from unnest($2::text[], $3::text[], $4::text[]) as new (patient, weights, recent)
            where w.tenant = $1 and w.patient = new.patient and w.patient = any($2)
            """,
            tenant,
            [memory.patient for memory in rich],
            texts({found.id: packed(found) for found in memory.weights} for memory in rich),
            texts(
                {metric: [packed(one) for one in found] for metric, found in memory.recent.items()} for memory in rich
            ),
        )
