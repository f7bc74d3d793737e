"""A target as the record keeps it: a FHIR R4 Goal with one measure and a range. Pure.

One Goal a patient and metric, its id reckoned from both: every change is a version of it, so who set what, when and
why stands in its history.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

import msgspec

from bedside.monitoring.ingest.model.metrics import BY_NAME

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
RUNNING: Final = frozenset({"accepted", "active"})
"""lifecycleStatus of a Goal that holds (hl7.org/fhir/R4/valueset-goal-status.html)."""


class Target(msgspec.Struct, frozen=True):
    """low, high: charted unit, ends included; at least one is there. since: the day from which it holds.

    ended: whether it no longer holds; at: when this version was written; id, version: of the Goal.
    """

    metric: str
    low: float | None
    high: float | None
    reason: str = ""
    by: str = ""
    since: date | None = None
    ended: bool = False
    at: datetime | None = None
    id: str = ""

    def holds(self, value: float) -> bool:
        """Whether a value lies in it."""
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


def goal_id(tenant: int, patient: str, metric: str) -> str:
    """Of the one Goal of this patient and metric."""
    return str(uuid5(NAMESPACE_URL, f"urn:bedside:target:{tenant}:{patient}:{metric}"))


def goal(target: Target, patient: str, who: tuple[str | None, str], now: datetime) -> dict[str, Any]:
    """The Goal. who: the setter's reference (None where the record knows none) and name."""
    metric = BY_NAME[target.metric]
    by = {"display": who[1]} | ({"reference": who[0]} if who[0] else {})
    ends = {
        end: {"value": Decimal(str(value)), "unit": metric.unit, "system": UCUM, "code": metric.unit}
        for end, value in (("low", target.low), ("high", target.high))
        if value is not None
    }
    said = " ".join(f"{'≥' if end == 'low' else '≤'} {q['value']} {metric.unit}" for end, q in ends.items())
    return {
        "resourceType": "Goal",
        "id": target.id,
        "lifecycleStatus": "cancelled" if target.ended else "active",
        "description": {"text": f"{metric.display} {said}"},
        "subject": {"reference": f"Patient/{patient}"},
        "startDate": (target.since or now.date()).isoformat(),
        "statusDate": now.date().isoformat(),
        "statusReason": target.reason,
        "expressedBy": by,
        "note": [{"authorString": who[1], "time": now.isoformat(), "text": target.reason}],
        "target": [
            {
                "measure": {"coding": [{"system": LOINC, "code": metric.loinc, "display": metric.display}]},
                "detailRange": ends,
            }
        ],
    }


def targets_of(resource: dict[str, Any]) -> list[Target]:
    """What a Goal says of metrics that are charted here, in their charted unit; what it says otherwise is left out."""
    found = []
    for one in resource.get("target") or []:
        codes = [c.get("code") for c in (one.get("measure") or {}).get("coding") or [] if c.get("system") == LOINC]
        metric = next((BY_NAME[code] for code in codes if code in BY_NAME), None)
        ends = one.get("detailRange") or {}
        if metric is None or any(ends[end].get("code") != metric.unit for end in ("low", "high") if end in ends):
            continue
        low, high = (float(ends[end]["value"]) if "value" in ends.get(end, {}) else None for end in ("low", "high"))
        if low is None and high is None:
            continue
        updated = (resource.get("meta") or {}).get("lastUpdated")
        found.append(
            Target(
                metric=metric.name,
                low=low,
                high=high,
                reason=str(resource.get("statusReason") or ""),
                by=str((resource.get("expressedBy") or {}).get("display") or ""),
                since=date.fromisoformat(str(resource["startDate"])[:10])
                if _whole(resource.get("startDate"))
                else None,
                ended=resource.get("lifecycleStatus") not in RUNNING,
                at=datetime.fromisoformat(str(updated).replace("Z", "+00:00")) if updated else None,
                id=str(resource.get("id", "")),
            )
        )
    return found


def _whole(day: object) -> bool:
    return isinstance(day, str) and len(day) >= len("2026-01-31")


def running(goals: Iterable[dict[str, Any]], ours: frozenset[str]) -> dict[str, Target]:
    """The target of each metric that holds: the one set here before those that were imported, then the newest."""
    found: dict[str, Target] = {}
    for target in sorted(
        (t for one in goals for t in targets_of(one) if not t.ended),
        key=lambda t: (t.id in ours, t.at.timestamp() if t.at else 0.0),
    ):
        found[target.metric] = target
    return found
