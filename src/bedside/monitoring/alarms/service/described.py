"""A finding as the JSON that an alarm keeps."""

from __future__ import annotations

from bedside.monitoring.rules.model.limits import Finding


def _looked_back(finding: Finding) -> dict[str, object]:
    """How a rule looked back, for those that do."""
    told: dict[str, object] = {} if finding.kind == "limit" else {"kind": finding.kind}
    told |= finding.told
    if finding.kind == "persistence":
        told |= {"least": finding.least, "of": finding.of, "count": finding.count, "looked": finding.looked}
    if finding.usual is not None:
        usual = finding.usual
        told |= {"usual": usual.median, "deviation": usual.deviation, "days": usual.days, "span": usual.span}
        told |= {"readings": usual.readings, "as_of": usual.as_of.isoformat()}
    return told


def described(finding: Finding) -> dict[str, object]:
    """A finding as the JSON that an alarm keeps: which inputs, which rule and version, and why."""
    return {
        "rule": finding.rule,
        "version": finding.version,
        "metric": finding.metric,
        "value": finding.value,
        "comparison": finding.comparison,
        "limit": finding.limit,
        "source": finding.source,
        "hazard": finding.hazard,
        "own": finding.own,
        "window_hours": finding.window_hours,
        **_looked_back(finding),
        "inputs": [
            {
                "id": reading.id,
                "metric": reading.metric,
                "value": reading.value,
                "unit": reading.unit,
                "at": reading.device_time.isoformat(),
                "received": reading.received_at.isoformat(),
                "device": reading.device,
                "source": reading.source,
                "flags": sorted(reading.flags),
            }
            for reading in finding.inputs
        ],
    }
