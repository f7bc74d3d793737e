"""How a patient's rules that look back stand now, and the category of their blood pressure: for people to read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring import settings
from bedside.monitoring.alarms.service import remember
from bedside.monitoring.alarms.store import baselines, watch
from bedside.monitoring.ingest.model.metrics import BY_NAME, CONTINUOUS, fresh_for
from bedside.monitoring.rules import service as rules
from bedside.monitoring.rules.model import limits, pressure
from bedside.monitoring.rules.model.measured import HARMLESS
from bedside.monitoring.rules.model.past import Reckoned
from bedside.monitoring.rules.model.pressure import Pressure, PressureCategory
from bedside.monitoring.rules.model.tables import LimitRow
from bedside.monitoring.series.model.reading import Reading
from bedside.monitoring.series.service import reading


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule that looks back, and what it says of the newest value. reckoned None: nothing was measured yet.

    stale: the newest value is too old to be current: that is incomplete too, whatever it once said.
    """

    row: LimitRow
    reckoned: Reckoned | None
    at: datetime | None
    stale: bool

    @property
    def status(self) -> str:
        """incomplete, within, holds, breach."""
        return "incomplete" if self.reckoned is None or self.stale else self.reckoned.status


async def standing(ctx: Ctx, patient: str) -> list[Standing]:
    """Of each rule in force that looks back, worst first. Raises Forbidden."""
    await access.authorise(ctx, patient, "R", what="limit")
    now = ctx.clock.now()
    (memory,) = await watch.read(ctx.sql, ctx.tenant, [patient])
    plan = limits.plan(memory.profile, memory.own, now.date())
    usual = (await baselines.read(ctx.sql, ctx.tenant, [patient])).get(patient, {}) if plan.usual else {}
    known = remember.past(memory, usual)
    found = []
    for row in plan.rows:
        if row.kind == "limit":
            continue
        newest = memory.newest.get(row.metric)
        if newest is None:
            found.append(Standing(row, None, None, stale=False))
            continue
        got = limits.reckon(row, newest, memory.newest, newest.device_time, known)
        fresh = timedelta(seconds=fresh_for(BY_NAME[row.metric], ""))
        found.append(Standing(row, got, newest.device_time, now - newest.device_time > fresh))
    return found


async def pressure_category(ctx: Ctx, patient: str) -> PressureCategory:
    """By the installation's scheme, from what cuffs measured in the last days. Raises Forbidden."""
    await access.authorise(ctx, patient, "R", what="Observation")
    scheme = settings.of(ctx.database).pressure or pressure.schemes()[0]
    profile, now = await rules.profile(ctx, patient), ctx.clock.now()
    newest = {one.metric: one for one in (await reading.latest(ctx, [patient]))[patient]}
    upper = newest.get("systolic")
    if upper is not None and upper.device_kind in CONTINUOUS:
        return pressure.category(scheme, (), profile, now, continuous=True)
    since = now - pressure.span()
    found = await reading.readings(ctx, patient, ["systolic", "diastolic"], since, now + timedelta(microseconds=1))
    return pressure.category(scheme, _pairs(found), profile, now)


def _pairs(found: list[Reading]) -> list[Pressure]:
    """Both halves of one measurement, neither in doubt nor measured without a cuff."""
    lower = {(one.device_number, one.time): one for one in found if one.metric == "diastolic" and one.flags <= HARMLESS}
    return [
        Pressure(one.device_time, one.raw, lower[one.device_number, one.time].raw, one.id)
        for one in found
        if one.metric == "systolic"
        and one.flags <= HARMLESS
        and one.device_kind not in CONTINUOUS
        and (one.device_number, one.time) in lower
    ]
