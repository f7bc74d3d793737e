"""Alarm fatigue as numbers, and what another limit would have done to them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.monitoring.alarms.store import burden as store
from bedside.monitoring.alarms.store import watch
from bedside.monitoring.alarms.store.burden import PassedCount, RuleCount
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.ingest.model.pack import Flag
from bedside.monitoring.rules.model import limits, tables
from bedside.monitoring.rules.model.tables import LimitRow
from bedside.monitoring.series.store import replay
from bedside.monitoring.series.store.replay import Episode

REPLAYED: Final = timedelta(days=30)
UNFIT: Final = Flag.LATE | Flag.CLOCK
"""What raises nothing live."""


class Burden(msgspec.Struct, frozen=True):
    """Alarms of a span. patient_days: on how many days how many patients were measured. rules: that with most first.
    passed: what was over within its delay, which is no alarm."""

    since: datetime
    until: datetime
    patient_days: int
    rules: list[RuleCount]
    passed: list[PassedCount] = []

    @property
    def raised(self) -> int:
        """All of them."""
        return sum(one.raised for one in self.rules)

    @property
    def per_patient_day(self) -> float | None:
        """None where nobody was measured."""
        return self.raised / self.patient_days if self.patient_days else None

    @property
    def share_acted(self) -> float | None:
        """Of all alarms, on how many somebody acted; None where there were none."""
        return sum(one.acted for one in self.rules) / self.raised if self.raised else None


class Replayed(msgspec.Struct, frozen=True):
    """A rule's limit and another, over the readings of REPLAYED: episodes under each, by the same reckoning.

    added: under the other limit alone. missed: under the present one alone. both: those that overlap. patients: of whom
    the rule holds. One rule by itself: that another rule of the same cause had already raised is not reckoned.
    """

    rule: LimitRow
    limit: float
    since: datetime
    until: datetime
    patients: int
    patient_days: int
    now: list[Episode]
    then: list[Episode]
    added: list[Episode]
    missed: list[Episode]


async def burden(ctx: Ctx, since: datetime, until: datetime) -> Burden:
    """Of the patients whom the actor may see. Raises Forbidden for who is no clinical staff."""
    await access.require(ctx, "nurse", "clinician", "administrator")
    patients = await access.visible(ctx, what="alarm")
    days = await replay.patient_days(ctx.sql, ctx.tenant, patients, microseconds(since), microseconds(until))
    rules = await store.by_rule(ctx.sql, ctx.tenant, patients, since, until)
    return Burden(since, until, days, rules, await store.passed(ctx.sql, ctx.tenant, patients, since, until))


def replayable(on: datetime) -> list[LimitRow]:
    """The rules of defaults and programmes that a what-if knows: one metric, one limit, whatever else stands beside it.

    Not those that look back (n of m, change, usual value), nor scores, codes, batteries, silence, the irregular pulse.
    """
    rows = (*tables.default_limits(on.date()), *tables.programme_rules(on.date()))
    return [
        row
        for row in rows
        if row.comparison in replay.OUTSIDE and not row.when and row.kind == "limit" and row.metric in BY_NAME
    ]


async def what_if(ctx: Ctx, rule: str, limit: float) -> Replayed:
    """How many alarms a rule would have raised in the last 30 days with another limit. Raises Invalid (rule, limit)."""
    await access.require(ctx, "nurse", "clinician", "administrator")
    until = ctx.clock.now()
    since = until - REPLAYED
    row = next((one for one in replayable(until) if one.id == rule), None)
    if row is None:
        raise Invalid("That rule is not known.", where="rule")
    metric = BY_NAME[row.metric]
    low, high = metric.possible
    if not low <= limit <= high:
        raise Invalid("No value can reach this limit.", where="limit")
    patients = await _of(ctx, row, until)
    for patient in patients:
        ctx.trail.patients.setdefault(patient, set()).add("R")
    span = microseconds(since), microseconds(until)
    settle = tables.settle(row.metric, until.date()) // timedelta(microseconds=1)
    now, then = [
        await replay.episodes(
            ctx.sql, ctx.tenant, patients, metric.number, span, row.comparison, each, settle, int(UNFIT)
        )
        for each in (row.limit, limit)
    ]
    days = await replay.patient_days(ctx.sql, ctx.tenant, patients, *span)
    return Replayed(row, limit, since, until, len(patients), days, now, then, _alone(then, now), _alone(now, then))


async def _of(ctx: Ctx, row: LimitRow, on: datetime) -> list[str]:
    """Whom the rule holds for today: whom the actor sees, with its default and no limit of their own in its place."""
    visible = await access.visible(ctx, what="alarm")
    found = await watch.everybody(ctx.sql, ctx.tenant) if visible is None else sorted(visible)
    memories = await watch.read(ctx.sql, ctx.tenant, found)
    return [one.patient for one in memories if _holds(limits.plan(one.profile, one.own, on.date()).rows, row)]


def _holds(rows: Collection[LimitRow], row: LimitRow) -> bool:
    return any(one.id == row.id for one in rows)


def _alone(these: Sequence[Episode], those: Sequence[Episode]) -> list[Episode]:
    """Episodes that overlap none of the others of their patient."""
    other: dict[str, list[Episode]] = {}
    for one in those:
        other.setdefault(one.patient, []).append(one)
    return [one for one in these if not _overlaps(one, other.get(one.patient, []))]


def _overlaps(one: Episode, others: list[Episode]) -> bool:
    """others: in order of time, and apart from each other."""
    place = bisect_right(others, one.until, key=lambda other: other.since)
    return place > 0 and others[place - 1].until >= one.since
