"""An alarm as the record shows it: a DetectedIssue, computed when somebody asks, never stored.

Why DetectedIssue and not Flag: an alarm is found in observations, has a severity, rests on what it implicates, and is
answered by mitigations of named people. R4 has no DeviceAlert; its Flag is a standing warning without any of these.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.model import Alarm, AlarmEvent
from bedside.monitoring.alarms.store import alarms as store
from bedside.records import Column, Governed, ReadProvider

ALARM: Final = "urn:bedside:alarm"
CAUSE: Final = "urn:bedside:alarm-cause"
STATE: Final = "urn:bedside:alarm-state"
"""System of the tag that says where the alarm stands: R4's status has no word for most of it."""
SHAPE: Final = re.compile(r"a\.([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12})")
STATUS: Final = {
    "pending": "registered",
    "passed": "cancelled",
    "resolved": "final",
    "superseded": "final",
    "false-alarm": "cancelled",
    "withdrawn": "entered-in-error",
}
"""By state, of http://hl7.org/fhir/observation-status (R4 binds DetectedIssue.status to it); open ones: preliminary."""
SEVERITY: Final = {"high": "high", "medium": "moderate", "low": "low"}
MITIGATES: Final = {
    "acknowledge": "Acknowledged",
    "act": "Acted",
    "hand-over": "Handed over",
    "pause": "Paused",
    "unpause": "Ended the pause",
    "resolve": "Resolved",
    "dismiss": "Called a false alarm",
    "undo": "Took back the last answer",
}
INSTEAD: Final = "Answer an alarm in Bedside: acknowledge, act, hand over, resolve, or call it false."


def owns(id: str) -> bool:
    """Whether an id has the shape of an alarm's: a. and the alarm's own."""
    return SHAPE.fullmatch(id) is not None


def is_alarm(resource: dict[str, Any]) -> bool:
    """Whether a DetectedIssue says of itself that it is an alarm of Bedside's."""
    return any(isinstance(one, dict) and one.get("system") == ALARM for one in resource.get("identifier") or ())


def picture(alarm: Alarm) -> dict[str, Any]:
    """The DetectedIssue of an alarm with its history; each line of the history is a version."""
    finding, last = alarm.finding, alarm.events[-1]
    cause, _, device = alarm.cause.partition(":")
    inputs = [str(one["id"]) for one in finding.get("inputs", ()) if one.get("id")]
    implicated = [f"Observation/{one}" for one in dict.fromkeys(inputs)] + ([f"Device/{device}"] if device else [])
    resource: dict[str, Any] = {
        "resourceType": "DetectedIssue",
        "id": f"a.{alarm.id}",
        "meta": {
            "versionId": str(len(alarm.events)),
            "lastUpdated": _instant(last.at),
            "tag": [{"system": STATE, "code": last.state}],
        },
        "identifier": [{"system": ALARM, "value": alarm.id}],
        "status": STATUS.get(last.state, "preliminary"),
        "code": {"coding": [{"system": CAUSE, "code": cause}], "text": cause.replace("-", " ").capitalize()},
        "severity": SEVERITY[alarm.priority],
        "patient": {"reference": f"Patient/{alarm.patient}"},
        "identifiedDateTime": _instant(alarm.raised_at),
        "detail": _detail(alarm),
    }
    if implicated:
        resource["implicated"] = [{"reference": one} for one in implicated]
    mitigations = [_mitigation(line) for line in alarm.events if line.event in MITIGATES and line.person_name]
    return resource | ({"mitigation": mitigations} if mitigations else {})


def _detail(alarm: Alarm) -> str:
    finding = alarm.finding
    value = finding.get("value")
    limit = f" {finding['comparison']} {finding['limit']:g}" if finding.get("comparison") not in (None, "in") else ""
    measured = f"{value:g}" if isinstance(value, float | int) else str(value)
    rule = f"rule {finding.get('rule')}{limit}, version {finding.get('version')}"
    return f"{finding.get('metric')}: {measured}; {rule}; {finding.get('source')}"


def _symptoms(alarm: Alarm) -> list[str]:
    return [one for one in str(alarm.finding.get("value", "")).split(", ") if one]


def _mitigation(line: AlarmEvent) -> dict[str, Any]:
    said = MITIGATES[line.event]
    more = line.data.get("action") or line.data.get("to_name")
    note = f" ({line.note})" if line.note else ""
    return {
        "action": {"text": f"{said}: {more}{note}" if more else f"{said}{note}"},
        "date": _instant(line.at),
        "author": {"display": line.person_name},
    }


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _own(id: str) -> str | None:
    found = SHAPE.fullmatch(id)
    return found[1] if found else None


async def render(ctx: Ctx, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """DetectedIssues by id; what does not exist is left out."""
    found = await store.whole(ctx.sql, ctx.tenant, [own for one in ids if (own := _own(one))])
    return {f"a.{alarm.id}": picture(alarm) for alarm in found}


async def patient_of(ctx: Ctx, id: str) -> str | None:
    """The patient's logical id."""
    alarm = await store.one(ctx.sql, ctx.tenant, _own(id) or "")
    return alarm.patient if alarm else None


async def versions(ctx: Ctx, id: str) -> list[dict[str, Any]]:
    """As it stood after each line of its history, newest first."""
    found = await store.whole(ctx.sql, ctx.tenant, [_own(id) or ""])
    return [picture(_as_of(alarm, n)) for alarm in found for n in range(len(alarm.events), 0, -1)]


def _as_of(alarm: Alarm, lines: int) -> Alarm:
    # An earlier version did not know yet which symptoms were ticked later.
    later = {one for line in alarm.events[lines:] for one in line.data.get("symptoms", ())}
    if not later:
        return replace(alarm, events=alarm.events[:lines])
    value = ", ".join(one for one in _symptoms(alarm) if one not in later)
    return replace(alarm, events=alarm.events[:lines], finding={**alarm.finding, "value": value})


DETECTED_ISSUES: Final = ReadProvider(
    type="DetectedIssue",
    room="monitoring",
    view="monitoring.detected_issue",
    columns={
        "code": Column("token", "code"),
        "identifier": Column("token", "identifier"),
        "identified": Column("date", "at", "until"),
        "patient": Column("reference", "subject"),
        "implicated": Column("reference", "implicated"),
    },
    owns=owns,
    render=render,
    patient_of=patient_of,
    versions=versions,
    operation=INSTEAD,
    documentation=(
        "Alarms appear here too, computed when they are asked for, found by patient, code, identified, implicated and "
        "identifier; where an alarm stands is its tag of urn:bedside:alarm-state. They cannot be written here."
    ),
)
"""Handed to records.provide by app."""
GOVERNED_ALARM: Final = Governed("DetectedIssue", "monitoring", is_alarm, INSTEAD)
"""Handed to records.govern by app: nobody writes what would pass for an alarm."""
