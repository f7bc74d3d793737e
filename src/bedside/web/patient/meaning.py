"""What a reading means in plain words, by the limits that hold for this patient: never "normal" without any. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from bedside.monitoring import Latest, Plan, Target
from bedside.web.clinician.vitals import SIGNS, Sign, source_of
from bedside.web.kit.places import N_

HIGH_PRESSURE = frozenset({"blood-pressure-high"})
"""Causes after which the page asks for rest and a repeat."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A sign's newest reading. values: by metric, charted; at: its device time."""

    key: str
    sign: Sign
    values: tuple[tuple[str, float], ...]
    at: datetime
    stale: bool
    source: str
    id: str
    cuffless: bool


@dataclass(frozen=True, slots=True)
class Meaning:
    """words: a msgid. outside: whether it lies outside a limit."""

    words: str
    outside: bool = False


def latest_of(found: Iterable[Latest]) -> Shown | None:
    """What stands as a patient's last reading: the newest sign; of one moment, pressure first (the order of SIGNS)."""
    shown = all_of(found)
    return max(shown, key=lambda s: (s.at, -[x.key for x in SIGNS].index(s.key))) if shown else None


def all_of(found: Iterable[Latest]) -> list[Shown]:
    """Each sign's newest reading; upper and lower pressure only where both are of one moment."""
    by_metric = {one.metric: one for one in found}
    result: list[Shown] = []
    for sign in SIGNS:
        there = [by_metric[m] for m in sign.metrics if m in by_metric]
        if len(there) < len(sign.metrics) or len({one.device_time for one in there}) > 1:
            continue
        first = there[0]
        values = tuple((one.metric, one.value) for one in there if not isinstance(one.value, str))
        result.append(
            Shown(
                sign.key,
                sign,
                values,
                first.device_time,
                any(one.stale for one in there),
                source_of(first.source),
                first.id,
                "cuffless" in first.flags,
            )
        )
    return result


def meaning(shown: Shown, plan: Plan | None, targets: Mapping[str, Target] = MappingProxyType({})) -> Meaning:
    """A limit that is broken first, then the patient's target, so that a target never covers a limit. What holds only
    on added oxygen is left to the clinic."""
    if shown.cuffless:
        return Meaning(N_("measured without a cuff: for your information only"))
    rows = [r for r in (plan.rows if plan else ()) if r.window is None and not r.when]
    judged = False
    for metric, value in shown.values:
        for row in (r for r in rows if r.metric == metric):
            judged = True
            if row.breached_by(value):
                words = N_("higher than your limit") if row.direction == "high" else N_("lower than your limit")
                return Meaning(words, outside=True)
    aims = [(value, targets[metric]) for metric, value in shown.values if metric in targets]
    for value, aim in aims:
        if not aim.holds(value):
            high = aim.high is not None and value > aim.high
            return Meaning(N_("above your target") if high else N_("below your target"))
    if aims and len(aims) == len(shown.values):
        return Meaning(N_("in your target"))
    if not judged:
        return Meaning(N_("no limits are set for you, so this is not judged"))
    return Meaning(N_("within your limits"))
