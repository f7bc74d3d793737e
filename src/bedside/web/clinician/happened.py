"""What happened beside the measurements, as spans of time: medicines, visits, alarms. Pure.

A span never ends where nobody wrote an end: it is open (goes on), or its end is not known, and reads so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bedside import messaging
from bedside.fhir.concepts import standing, words
from bedside.monitoring import Alarm
from bedside.web.clinician.resources import Resource, moment
from bedside.web.clinician.summary import CLASSES, CURRENT_MEDICINE
from bedside.web.clinician.timeline import Axis
from bedside.web.kit.places import N_

APPOINTED = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "waitlist", "fulfilled", "noshow"})
"""Appointments that stand or took place (hl7.org/fhir/R4/valueset-appointmentstatus.html)."""
APPOINTMENT = {"noshow": N_("Appointment, nobody came")}


@dataclass(frozen=True, slots=True)
class Span:
    """since to until, device or server time. until None: not known, unless it goes on. detail: a msgid or ""."""

    what: str
    since: datetime
    until: datetime | None = None
    goes_on: bool = False
    detail: str = ""
    id: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A span as it is drawn: x and width in per cent; width 0: a mark. cut, runs: it began before, or goes on after."""

    span: Span
    x: float
    width: float
    cut: bool
    runs: bool


@dataclass(frozen=True, slots=True)
class Track:
    """A row of bars under one name."""

    name: str
    bars: tuple[Bar, ...]


def medicines(requests: Sequence[Resource], statements: Sequence[Resource], taken: Collection[str] = ()) -> list[Span]:
    """Each prescription and statement of what is taken, in order of its beginning. taken: ids of ours that still are.

    A prescription here lasts as many days as it was given for; elsewhere until its period says, if it does.
    """
    found = []
    for one in standing([*(r for r in requests if r.get("intent") != "proposal"), *statements]):
        period = one.get("effectivePeriod") or _bounds(one)
        since = moment(period.get("start") or one.get("authoredOn") or one.get("effectiveDateTime"))
        if since is None:
            continue
        until = moment(period.get("end")) or (since + days if (days := _days(one)) else None)
        on = one.get("status") in CURRENT_MEDICINE or one["id"] in taken
        name = words(one.get("medicationCodeableConcept")) or str(
            (one.get("medicationReference") or {}).get("display") or N_("a medicine without a name")
        )
        held = N_("on hold") if one.get("status") == "on-hold" else ""
        found.append(Span(name, since, None if on else until, on, held, one["id"]))
    return sorted(found, key=lambda s: s.since)


def _bounds(request: Resource) -> Resource:
    for one in request.get("dosageInstruction") or request.get("dosage") or []:
        bounds: Resource = ((one.get("timing") or {}).get("repeat") or {}).get("boundsPeriod") or {}
        if bounds:
            return bounds
    valid: Resource = (request.get("dispenseRequest") or {}).get("validityPeriod") or {}
    return valid


def _days(request: Resource) -> timedelta | None:
    """boundsDuration in days or weeks: what a prescription of ours says."""
    each = {"d": 1, "days": 1, "day": 1, "wk": 7, "weeks": 7, "week": 7}
    for one in request.get("dosageInstruction") or []:
        duration = ((one.get("timing") or {}).get("repeat") or {}).get("boundsDuration") or {}
        unit = each.get(str(duration.get("code") or duration.get("unit")))
        if unit and duration.get("value") is not None:
            return timedelta(days=float(duration["value"]) * unit)
    return None


def visits(encounters: Sequence[Resource], appointments: Sequence[Resource]) -> list[Span]:
    """Encounters, and appointments that led to none yet."""
    met = {str(r.get("reference")) for e in encounters for r in e.get("appointment") or []}
    found = []
    for one in standing(encounters):
        period = one.get("period") or {}
        since = moment(period.get("start"))
        if since is None or one.get("status") == "cancelled":
            continue
        class_ = one.get("class") or {}
        what = next((words(t) for t in one.get("type") or []), "") or CLASSES.get(str(class_.get("code")), "")
        why = ", ".join(words(reason) for reason in one.get("reasonCode") or [])
        on = one.get("status") in {"in-progress", "arrived", "triaged", "onleave"}
        found.append(Span(what or N_("Encounter"), since, moment(period.get("end")), on, why, one["id"], "visit"))
    for one in standing(appointments):
        since = moment(one.get("start"))
        if since is None or one.get("status") not in APPOINTED or f"Appointment/{one['id']}" in met:
            continue
        what = APPOINTMENT.get(str(one["status"]), N_("Appointment"))
        said = str(one.get("description") or "")
        found.append(Span(what, since, moment(one.get("end")), detail=said, id=one["id"], kind="appointment"))
    return sorted(found, key=lambda s: s.since)


def alarms(found: Iterable[Alarm]) -> list[Span]:
    """From the measurement that raised it until its values came back, or somebody closed it. kind: the priority."""
    return sorted(
        (
            Span(
                alarm.cause,
                min(alarm.measured_at, alarm.raised_at),
                alarm.ended_at or alarm.closed_at,
                alarm.ended_at is None and alarm.closed_at is None,
                alarm.state,
                alarm.id,
                alarm.priority,
            )
            for alarm in found
        ),
        key=lambda s: s.since,
    )


def conversations(rows: Iterable[messaging.threads.Row]) -> list[Span]:
    """Each from its first message to its newest. detail: what it is about; never a word of it."""
    return sorted(
        (
            Span(N_("Messages"), one.opened, one.last, detail=one.about, id=one.id, kind="message")
            for one in (row.thread for row in rows)
        ),
        key=lambda s: s.since,
    )


def within(spans: Iterable[Span], axis: Axis) -> list[Span]:
    """Those of which any part lies on the axis."""
    return [s for s in spans if axis.holds(s.since, axis.until if s.goes_on else s.until)]


def tracks(spans: Iterable[Span], axis: Axis) -> list[Track]:
    """A row for each name, in order of their first beginning; bars of one name that follow each other stand in it."""
    rows: dict[str, list[Bar]] = {}
    for span in spans:
        rows.setdefault(span.what, []).append(bar(span, axis))
    return [Track(name, tuple(bars)) for name, bars in rows.items()]


def bar(span: Span, axis: Axis) -> Bar:
    """A span on the axis."""
    end = axis.until if span.goes_on else span.until or span.since
    x = axis.x(span.since)
    return Bar(span, x, round(axis.x(end) - x, 3), span.since < axis.since, end > axis.until or span.goes_on)
