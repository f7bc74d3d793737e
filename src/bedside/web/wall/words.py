"""The wall's words for what is measured, wrong, and done about it: msgids, translated where they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.errors import N_
from bedside.monitoring import DANGER_SYMPTOMS, Alarm, LateFinding, longest_pause
from bedside.web.kit import amounts

METRICS: dict[str, tuple[str, str, int]] = {
    "heart-rate": (N_("Heart rate"), "HR", 0),
    "spo2": (N_("Oxygen saturation"), "SpO₂", 0),
    "pressure": (N_("Blood pressure"), "BP", 0),
    "systolic": (N_("Systolic pressure"), "Sys", 0),
    "diastolic": (N_("Diastolic pressure"), "Dia", 0),
    "respiratory-rate": (N_("Respiratory rate"), "RR", 0),
    "temperature": (N_("Temperature"), "T", 1),
    "weight": (N_("Weight"), N_("Weight"), 1),
    "glucose": (N_("Glucose"), N_("Glucose"), 0),
    "consciousness": (N_("Consciousness"), "ACVPU", 0),
    "oxygen": (N_("Oxygen given"), "O₂", 0),
    "mean-pressure": (N_("Mean pressure"), "MAP", 0),
    "battery": (N_("Battery"), N_("Battery"), 0),
    "rr-interval": (N_("Interval between beats"), "RR", 0),
}
"""Short name to (words, the wall's short label, decimals)."""

UNITS = {"mm[Hg]": "mmHg", "Cel": "°C", "[degF]": "°F"}
"""UCUM codes that people write otherwise; the rest as they are."""

CAUSES: dict[str, str] = {
    "blood-pressure-high": N_("High pressure"),
    "blood-pressure-low": N_("Low pressure"),
    "heart-rate-high": N_("Fast heart"),
    "heart-rate-low": N_("Slow heart"),
    "respiratory-rate-high": N_("Fast breathing"),
    "respiratory-rate-low": N_("Slow breathing"),
    "spo2-low": N_("Low oxygen"),
    "spo2-high-on-oxygen": N_("Too much oxygen"),
    "temperature-high": N_("Fever"),
    "temperature-low": N_("Low temperature"),
    "weight-gain": N_("Weight gain"),
    "weight-high": N_("High weight"),
    "weight-low": N_("Low weight"),
    "glucose-high": N_("High glucose"),
    "glucose-low": N_("Low glucose"),
    "news2": N_("NEWS2"),
    "consciousness": N_("Not alert"),
    "symptoms": N_("Danger symptoms"),
    "silence": N_("Device silent"),
    "battery": N_("Battery low"),
    "irregular-pulse": N_("Irregular pulse flag"),
    "weight-loss": N_("Weight loss"),
    "glucose-falling": N_("Glucose falling fast"),
    "glucose-gain": N_("Glucose rising fast"),
    "glucose-loss": N_("Glucose falling fast"),
    "mean-pressure-low": N_("Low mean pressure"),
    "heart-rate-off-baseline": N_("Heart rate not as usual"),
    "respiratory-rate-off-baseline": N_("Breathing not as usual"),
    "spo2-off-baseline": N_("Oxygen not as usual"),
    "systolic-off-baseline": N_("Pressure not as usual"),
    "diastolic-off-baseline": N_("Pressure not as usual"),
    "temperature-off-baseline": N_("Temperature not as usual"),
    "weight-off-baseline": N_("Weight not as usual"),
    "glucose-off-baseline": N_("Glucose not as usual"),
    "heart-rate-gain": N_("Heart rate rising"),
    "heart-rate-loss": N_("Heart rate falling"),
    "respiratory-rate-gain": N_("Breathing rising"),
    "respiratory-rate-loss": N_("Breathing falling"),
    "spo2-gain": N_("Oxygen rising"),
    "spo2-loss": N_("Oxygen falling"),
    "systolic-gain": N_("Pressure rising"),
    "systolic-loss": N_("Pressure falling"),
    "diastolic-gain": N_("Pressure rising"),
    "diastolic-loss": N_("Pressure falling"),
    "temperature-gain": N_("Temperature rising"),
    "temperature-loss": N_("Temperature falling"),
}

STATES: dict[str, str] = {
    "raised": N_("not seen yet"),
    "escalated": N_("not seen yet, escalated"),
    "ended": N_("over, not seen yet"),
    "acknowledged": N_("acknowledged"),
    "acted": N_("acted on"),
    "paused": N_("paused"),
    "pending": N_("not raised yet: its delay runs"),
    "passed": N_("over within its delay, nobody was told"),
    "resolved": N_("resolved"),
    "false-alarm": N_("false alarm"),
    "withdrawn": N_("withdrawn"),
    "superseded": N_("replaced by a worse one"),
}

EVENTS: dict[str, str] = {
    "wait": N_("Outside its limit: waits for the delay"),
    "raise": N_("Raised"),
    "ask": N_("Asked"),
    "nobody": N_("Nobody left to ask: administrators told"),
    "escalate": N_("Not answered in time: one step up"),
    "acknowledge": N_("Acknowledged"),
    "act": N_("Acted"),
    "hand-over": N_("Handed over"),
    "pause": N_("Paused"),
    "unpause": N_("Pause over: raised again"),
    "end": N_("Values within limits again"),
    "resume": N_("Values outside limits again"),
    "return": N_("Came back: nothing done, or still outside limits"),
    "resolve": N_("Resolved"),
    "dismiss": N_("False alarm"),
    "withdraw": N_("Reading withdrawn"),
    "supersede": N_("Replaced by a worse one"),
    "undo": N_("Taken back"),
    "more-symptoms": N_("More symptoms reported"),
    "input-withdrawn": N_("One of its readings was withdrawn"),
}

WITHOUT: dict[str, str] = {
    "age-unknown": N_("no limits set: age unknown"),
    "under-16": N_("no limits set: under 16"),
    "pregnant": N_("no limits set: pregnant"),
}

ACTIONS: tuple[str, ...] = (
    N_("Called the patient"),
    N_("Asked for a repeat measurement"),
    N_("Invited to a video visit"),
    N_("Told the clinician"),
    N_("Changed the treatment"),
    N_("Sent help"),
)

PAUSES: tuple[str, ...] = (N_("suction"), N_("washing"), N_("patient is being moved"), N_("sensor is being changed"))
"""Why an alarm is paused, most often; else in words."""
MINUTES = (1, 2, 3, 5, 10, 15, 30, 60)

SIDES = {">=": N_("at or above"), ">": N_("above"), "<=": N_("at or below"), "<": N_("below")}
LIMITED = {
    "systolic": "mm[Hg]",
    "diastolic": "mm[Hg]",
    "heart-rate": "/min",
    "spo2": "%",
    "respiratory-rate": "/min",
    "temperature": "Cel",
    "weight": "kg",
    "glucose": "mg/dL",
}
"""What can have a limit, with the unit in which it is charted, and a limit typed."""
PROGRAMMES = {
    "hypertension": N_("Hypertension"),
    "heart-failure": N_("Heart failure"),
    "copd": N_("COPD"),
    "diabetes": N_("Diabetes"),
    "post-surgery": N_("After surgery"),
    "icu": N_("Intensive care"),
}
"""By monitoring's keys."""
KINDS = {
    "limit": N_("the newest value"),
    "persistence": N_("several of the last readings (n of m)"),
    "change": N_("its change over some hours"),
    "baseline": N_("how far it is from the patient's own usual value"),
}
"""What a rule compares with its limit."""
INCOMPLETE = {
    "few": N_("too few readings: %(have)s of %(need)s"),
    "doubt": N_("the newest value is in doubt"),
    "few-days": N_("too few days with readings: %(have)s of %(need)s"),
    "old-baseline": N_("the usual value is not of these days"),
    "cut": N_("more readings than can be compared over so long"),
    "stale": N_("the newest value is too old"),
    "none": N_("nothing was measured yet"),
}
STANDS = {
    "incomplete": N_("incomplete"),
    "within": N_("within limits"),
    "holds": N_("still so, though the newest value is not"),
    "breach": N_("outside limits"),
}
PRIORITIES = {"high": N_("High"), "medium": N_("Medium"), "low": N_("Low")}
SYMPTOMS = DANGER_SYMPTOMS


def cause_of(alarm: Alarm | LateFinding) -> str:
    """What is wrong, as a msgid; a cause this table does not know reads as its own name."""
    name = alarm.cause.partition(":")[0]
    return CAUSES.get(name, name.replace("-", " "))


def pauses_of(alarm: Alarm) -> list[int]:
    """For how many minutes an alarm of its priority may be paused."""
    return [one for one in MINUTES if one <= longest_pause(alarm)]


def value_of(finding: Mapping[str, Any], units: str) -> str:
    """What raised an alarm, with its unit as this reader wants it: "178/112 mmHg", "88 %", of a change "+3.4 kg", of
    NEWS2 its sum; "" where it is no number."""
    if finding.get("metric") == "news2":
        return f"{finding['value']:g}"
    inputs: Sequence[Mapping[str, Any]] = finding.get("inputs") or ()
    # The newest of a metric comes first; a rule that looks back has others of it behind.
    by_metric = {i.get("metric"): i for i in reversed(inputs)}
    if "systolic" in by_metric and "diastolic" in by_metric:
        return f"{by_metric['systolic']['value']:g}/{by_metric['diastolic']['value']:g} mmHg"
    found = by_metric.get(finding.get("metric")) or (inputs[0] if len(inputs) == 1 else None)
    if found is None or isinstance(found.get("value"), str):
        return str(found["value"]) if found else ""
    unit = amounts.unit_of(str(found.get("unit") or ""), units)
    value = unit.show(float(found["value"]))
    # A gain of weight that was found before there were kinds has a window and no kind.
    if finding.get("kind", "change" if finding.get("window_hours") else "") == "change":
        return f"{round(value - unit.show(float(inputs[-1]['value'])), 2):+g} {unit.word}"
    return f"{value:g} {unit.word}".strip()


def moment(written: str) -> datetime:
    """A time of a finding's input."""
    return datetime.fromisoformat(written)


def unit_of(code: str) -> str:
    """A UCUM unit as people write it."""
    return UNITS.get(code, code)
