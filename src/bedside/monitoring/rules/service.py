"""Use-cases of rules: who a patient is to the rules, and their own limits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from math import isfinite
from typing import Any, Final

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.foundation.ids import uuid7
from bedside.monitoring.rules import store
from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.limits import PatientLimit, Plan, plan
from bedside.monitoring.rules.model.profile import Profile
from bedside.monitoring.rules.model.tables import RANK

UNCHANGED: Any = object()
SIDES = frozenset({">", ">=", "<", "<="})


async def set_profile(
    ctx: Ctx,
    patient: str,
    *,
    birth_date: date | None = UNCHANGED,
    pregnant: bool = UNCHANGED,
    news2_scale: int = UNCHANGED,
    news2_applies: bool = UNCHANGED,
    programmes: Iterable[str] = UNCHANGED,
    reason: str = "",
) -> Profile:
    """Say who a patient is to the rules; what is not named stays as it is.

    birth_date decides whether the adult defaults may be used. news2_scale 2: for hypercapnic failure with a target of
    88-92 %, by a clinician alone, with a reason; so are programmes (tables.programmes), whose rules hold from the next
    reading on. Raises Forbidden, Invalid. Kept in the history and in the audit.
    """
    await access.authorise(ctx, patient, "U", what="limit")
    old = await profile(ctx, patient)
    new = Profile(
        old.birth_date if birth_date is UNCHANGED else birth_date,
        old.pregnant if pregnant is UNCHANGED else pregnant,
        old.news2_scale if news2_scale is UNCHANGED else news2_scale,  # type: ignore[arg-type]
        old.news2_applies if news2_applies is UNCHANGED else news2_applies,
        old.programmes if programmes is UNCHANGED else tuple(sorted(set(programmes))),
    )
    if not set(new.programmes) <= set(tables.programmes()):
        raise Invalid("There is no such programme.", where="programme")
    if new.programmes != old.programmes and ctx.actor.kind == "person":
        await access.require(ctx, "clinician")
        if not reason.strip():
            raise Invalid("Say why this patient's programmes are changed.", where="reason")
    if new.news2_scale not in {1, 2}:
        raise Invalid("NEWS2 has the SpO2 scales 1 and 2.", where="news2_scale")
    if new.news2_scale != old.news2_scale and ctx.actor.kind == "person":
        await access.require(ctx, "clinician")
        if not reason.strip():
            raise Invalid("Say why this patient's SpO2 scale is changed.", where="reason")
    if new != old:
        ctx.trail.entities.append(f"monitoring profile of Patient/{patient}")
        await store.put_profile(
            ctx.sql, ctx.tenant, patient, new, at=ctx.clock.now(), by=ctx.actor.id, reason=reason.strip()
        )
    return new


async def profile(ctx: Ctx, patient: str) -> Profile:
    """Who a patient is to the rules; of unknown age where nobody has said."""
    row = await store.profile(ctx.sql, ctx.tenant, patient)
    return Profile() if row is None else store.profile_of(row)


async def set_limits(ctx: Ctx, patient: str, limits: Iterable[PatientLimit]) -> None:
    """Set a patient's own limits, each in place of the one of its metric, direction and priority.

    limit None switches that default off. Raises Forbidden, Invalid (no reason, no such comparison or priority).
    """
    await access.authorise(ctx, patient, "U", what="limit")
    for limit in limits:
        if limit.comparison not in SIDES or limit.priority not in RANK:
            raise Invalid("A limit has a comparison (> >= < <=) and a priority (high, medium, low).", where="limit")
        if not limit.reason.strip():
            raise Invalid("Say why this patient has a limit of their own.", where="reason")
        if limit.limit is not None and not isfinite(limit.limit):
            raise Invalid("Only a number, please.", where="limit")
        if not 0 <= limit.delay_seconds <= LONGEST_DELAY or (limit.delay_seconds and limit.kind != "limit"):
            raise Invalid(
                "A delay is of 0 to 300 seconds.",
                where="delay",
                remedy="A rule that looks back has none: it waits by itself.",
            )
        _looks_back(limit, ctx.clock.now().date())
        now, by = ctx.clock.now(), ctx.actor.id
        await store.end_limit(ctx.sql, ctx.tenant, patient, limit, at=now, by=by)
        await store.add_limit(ctx.sql, ctx.tenant, patient, limit, id=uuid7(), at=now, by=by)
    ctx.trail.entities.append(f"limits of Patient/{patient}")


LONGEST_DELAY: Final = 300
"""Seconds for which a limit may stand broken before its alarm is raised."""
MOST_OF: Final = 20
"""The last so many readings at most, for n of the last m."""
LONGEST: Final = {"persistence": 24 * 30.0, "change": 24 * 7.0, "baseline": 24 * 60.0}
"""Hours over which a rule may look back, by kind."""


def _looks_back(limit: PatientLimit, on: date) -> None:
    """Raises Invalid where a rule that looks back does not say how, or stands in place of none."""
    if limit.rule:
        row = tables.rule(limit.rule, on)
        if row is None or (row.metric, row.kind, row.comparison[0]) != (limit.metric, limit.kind, limit.comparison[0]):
            raise Invalid("That rule is not known.", where="rule")
        limit = replace(
            limit,
            least=limit.least or row.least,
            of=limit.of or row.of,
            hours=limit.hours or (row.window or timedelta()) / timedelta(hours=1),
        )
    if limit.limit is None or limit.kind == "limit":
        return
    if limit.kind not in LONGEST:
        raise Invalid("That kind of rule is not known.", where="kind")
    if limit.kind == "persistence" and not 1 <= limit.least <= limit.of <= MOST_OF:
        raise Invalid("Say how many of how many readings: at most 20, and no more than there are.", where="least")
    if limit.hours is None or not 0 < limit.hours <= LONGEST[limit.kind]:
        raise Invalid(
            "Over how long? At most a week for a change, a month for readings, two for the usual value.", where="hours"
        )
    if limit.kind == "baseline" and (limit.hours % 24 or not 1 <= limit.least <= limit.hours / 24):
        raise Invalid("Say how many whole days there are, and of how many there must be readings.", where="least")
    if limit.spread < 0 or not isfinite(limit.spread):
        raise Invalid("Only a number, please.", where="spread")


async def drop_limit(ctx: Ctx, patient: str, limit: PatientLimit) -> None:
    """Take a patient's own limit away: the default of its place holds again."""
    await access.authorise(ctx, patient, "U", what="limit")
    await store.end_limit(ctx.sql, ctx.tenant, patient, limit, at=ctx.clock.now(), by=ctx.actor.id)
    ctx.trail.entities.append(f"limits of Patient/{patient}")


async def limits(ctx: Ctx, patient: str) -> Plan:
    """Every limit in force for a patient, with its source; without_defaults says why the adult ones are left out."""
    own = tuple(await own_limits(ctx, patient))
    return plan(await profile(ctx, patient), own, ctx.clock.now().date())


async def own_limits(ctx: Ctx, patient: str) -> list[PatientLimit]:
    """A patient's own limits, each with its reason; those that switch a default off (limit None) too."""
    await access.authorise(ctx, patient, "R", what="limit")
    return [store.limit_of(row) for row in await store.limits(ctx.sql, ctx.tenant, patient)]
