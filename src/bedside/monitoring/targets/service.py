"""Setting, ending and reading targets; the record keeps them."""

from __future__ import annotations

from typing import Final

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, NotFound
from bedside.monitoring.ingest.model.metrics import possible
from bedside.monitoring.targets.model import Target, goal, goal_id, running, targets_of

METRICS_AIMED_AT: Final = (
    *("systolic", "diastolic", "heart-rate", "spo2", "respiratory-rate"),
    *("temperature", "weight", "glucose", "bmi"),
)
MOST: Final = "500"


async def targets(ctx: Ctx, patient: str) -> dict[str, Target]:
    """The target of each metric that holds for a patient now. Raises Forbidden."""
    found = await records.search(ctx, "Goal", {"patient": patient, "_count": MOST})
    ours = frozenset(goal_id(ctx.tenant, patient, metric) for metric in METRICS_AIMED_AT)
    return running(found.entries, ours)


async def set_target(ctx: Ctx, patient: str, target: Target) -> None:
    """From now on this range is what is hoped for; the one before stays in the history. A clinician's decision.

    Raises Forbidden, Invalid (metric, low, high, reason).
    """
    await access.require(ctx, "clinician")
    await records.read(ctx, "Patient", patient)
    if target.metric not in METRICS_AIMED_AT:
        raise Invalid("Choose what the target is for.", where="metric")
    if target.low is None and target.high is None:
        raise Invalid("Write the lower end, the upper end, or both.", where="low")
    for end, value in (("low", target.low), ("high", target.high)):
        if value is not None and not possible(target.metric, value):
            raise Invalid("No value can lie there: check the number and its unit.", where=end)
    if target.low is not None and target.high is not None and target.low >= target.high:
        raise Invalid("The upper end lies above the lower one.", where="high")
    await _write(ctx, patient, target)


async def end_target(ctx: Ctx, patient: str, metric: str, reason: str) -> None:
    """It no longer holds, and no other takes its place. Raises Forbidden, NotFound, Invalid (reason)."""
    await access.require(ctx, "clinician")
    held = (await targets(ctx, patient)).get(metric)
    if held is None or held.id != goal_id(ctx.tenant, patient, metric):
        raise NotFound("There is no such target.")
    await _write(ctx, patient, Target(metric, held.low, held.high, reason, since=held.since, ended=True))


async def _write(ctx: Ctx, patient: str, target: Target) -> None:
    if not target.reason.strip():
        raise Invalid("Say why: the patient reads it.", where="reason")
    named = ctx.actor.reference or ""
    who = (named if named.startswith("Practitioner") else None, ctx.actor.name)
    id_ = goal_id(ctx.tenant, patient, target.metric)
    kept = Target(target.metric, target.low, target.high, target.reason.strip(), "", target.since, target.ended, id=id_)
    await records.update(ctx, goal(kept, patient, who, ctx.clock.now()))


async def target_history(ctx: Ctx, patient: str) -> list[Target]:
    """Every version of every target that was set here, newest first. Raises Forbidden."""
    ours = {goal_id(ctx.tenant, patient, metric) for metric in METRICS_AIMED_AT}
    goals = await records.search(ctx, "Goal", {"patient": patient, "_count": MOST})
    found: list[Target] = []
    for one in goals.entries:
        if one["id"] in ours:
            found += [target for each in await records.history(ctx, "Goal", one["id"]) for target in targets_of(each)]
    return sorted(found, key=lambda t: t.at.timestamp() if t.at else 0.0, reverse=True)
