"""Vital signs over time: what monitoring keeps and what the record imported, in one picture each. Pure.

LOINC codes are those of US Core vital signs; imported values come in UCUM units of the same table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Protocol

from bedside.fhir.concepts import codes, in_error
from bedside.web.clinician.resources import Resource, effective, moment
from bedside.web.kit.places import N_
from bedside.web.kit.series import Chart, Dot, Line, Stretch, merge

SPANS = {
    "day": (timedelta(days=1), N_("24 hours")),
    "week": (timedelta(days=7), N_("7 days")),
    "month": (timedelta(days=30), N_("30 days")),
    "year": (timedelta(days=365), N_("1 year")),
    "all": (timedelta(days=365 * 130), N_("All")),
}


def beginning(span: str, until: datetime) -> datetime:
    """When a span begins that ends at `until`: for all of it, before there were any measurements."""
    return max(until - SPANS[span][0], datetime(1900, 1, 1, tzinfo=until.tzinfo))


@dataclass(frozen=True, slots=True)
class Sign:
    """A chart: its title, the metrics it draws (short names of monitoring), each line's name, and the charted unit."""

    key: str
    title: str
    metrics: tuple[str, ...]
    names: tuple[str, ...]
    ucum: str


SIGNS = (
    Sign(
        "blood-pressure", N_("Blood pressure"), ("systolic", "diastolic"), (N_("Systolic"), N_("Diastolic")), "mm[Hg]"
    ),
    Sign("heart-rate", N_("Heart rate"), ("heart-rate",), (N_("Heart rate"),), "/min"),
    Sign("spo2", N_("Oxygen saturation"), ("spo2",), (N_("Oxygen saturation"),), "%"),
    Sign("respiratory-rate", N_("Breathing rate"), ("respiratory-rate",), (N_("Breathing rate"),), "/min"),
    Sign("temperature", N_("Temperature"), ("temperature",), (N_("Temperature"),), "Cel"),
    Sign("weight", N_("Weight"), ("weight",), (N_("Weight"),), "kg"),
    Sign("glucose", N_("Glucose"), ("glucose",), (N_("Glucose"),), "mg/dL"),
)

LOINC = {
    "8480-6": "systolic",
    "8462-4": "diastolic",
    "8867-4": "heart-rate",
    "59408-5": "spo2",
    "2708-6": "spo2",
    "9279-1": "respiratory-rate",
    "8310-5": "temperature",
    "8331-1": "temperature",
    "29463-7": "weight",
    "3141-9": "weight",
    "2339-0": "glucose",
    "41653-7": "glucose",
}
"""Code to monitoring's short name of the metric."""

TO_CHARTED: dict[str, tuple[str, float, float]] = {
    "[degF]": ("Cel", 1 / 1.8, -32 / 1.8),
    "[lb_av]": ("kg", 0.45359237, 0),
    "g": ("kg", 0.001, 0),
    "mmol/L": ("mg/dL", 18.0156, 0),
}
"""A UCUM unit that an import may bring, to the charted one: factor and offset."""


class Limited(Protocol):
    """One limit that holds for a patient (monitoring's LimitRow)."""

    @property
    def metric(self) -> str: ...
    @property
    def comparison(self) -> str: ...
    @property
    def limit(self) -> float: ...
    @property
    def window(self) -> timedelta | None: ...
    @property
    def when(self) -> str: ...
    @property
    def kind(self) -> str: ...


class Measured(Protocol):
    """One point of monitoring's series."""

    @property
    def id(self) -> str: ...
    @property
    def device_time(self) -> datetime: ...
    @property
    def received_at(self) -> datetime | None: ...
    @property
    def value(self) -> float | str: ...
    @property
    def source(self) -> str: ...
    @property
    def flags(self) -> frozenset[str]: ...
    @property
    def withdrawn(self) -> bool: ...


DOUBTS = {
    "late": N_("arrived late"),
    "clock": N_("the device's clock was wrong"),
    "implausible": N_("unusual value"),
    "cuffless": N_("measured without a cuff"),
}
"""The flags of a reading that a person should see beside it."""


class Summarised(Protocol):
    """A stretch of monitoring's series whose readings are no longer kept."""

    @property
    def since(self) -> datetime: ...
    @property
    def until(self) -> datetime: ...
    @property
    def count(self) -> int: ...
    @property
    def low(self) -> float: ...
    @property
    def high(self) -> float: ...
    @property
    def mean(self) -> float: ...


def summarised(found: Iterable[Summarised]) -> tuple[Stretch, ...]:
    """Such stretches as a chart draws them."""
    return tuple(Stretch(s.since, s.until, s.count, s.low, s.high, s.mean) for s in found)


def source_of(source: str) -> str:
    """monitoring's source as a picture says it: patient and staff typed it."""
    return "device" if source == "device" else "typed"


def measured(points: Iterable[Measured]) -> list[Dot]:
    """Points of monitoring as dots; letters (consciousness) are no numbers and are left out."""
    return [
        Dot(
            p.device_time,
            float(p.value),
            source_of(p.source),
            p.id,
            p.withdrawn,
            p.received_at is None,
            next((DOUBTS[f] for f in DOUBTS if f in p.flags), ""),
        )
        for p in points
        if not isinstance(p.value, str)
    ]


def imported(observations: Iterable[Resource]) -> dict[str, list[Dot]]:
    """Observations of the record as dots by metric; panels by their components; what has no number is left out."""
    found: dict[str, list[Dot]] = {}
    for one in observations:
        at = moment(effective(one))
        if at is None:
            continue
        for part in (one, *(one.get("component") or [])):
            metric = next((LOINC[c] for c in codes(part.get("code")) if c in LOINC), None)
            value = _charted(metric, part.get("valueQuantity") or {})
            if metric is not None and value is not None:
                found.setdefault(metric, []).append(Dot(at, value, "imported", wrong=in_error(one)))
    return found


def _charted(metric: str | None, quantity: Mapping[str, Any]) -> float | None:
    value, unit = quantity.get("value"), quantity.get("code") or quantity.get("unit")
    if metric is None or value is None:
        return None
    charted = next(s.ucum for s in SIGNS if metric in s.metrics)
    if unit == charted:
        return float(value)
    target, factor, offset = TO_CHARTED.get(str(unit), ("", 0.0, 0.0))
    return round(float(value) * factor + offset, 2) if target == charted else None


def limits_of(metric: str, rows: Iterable[Limited]) -> tuple[float | None, float | None]:
    """Between which values nothing is raised: the innermost limit on each side, None where there is none.

    What looks back (n of m, a change, the usual value) and what holds only on added oxygen are no lines to cross.
    """
    mine = [r for r in rows if r.metric == metric and r.kind == "limit" and not r.when]
    low = [r.limit for r in mine if r.comparison in {"<", "<="}]
    high = [r.limit for r in mine if r.comparison in {">", ">="}]
    return (max(low) if low else None, min(high) if high else None)


def charts(
    dots: Mapping[str, Sequence[Sequence[Dot]]],
    gaps: Mapping[str, Sequence[tuple[datetime, datetime]]],
    limits: Sequence[Limited],
    since: datetime,
    until: datetime,
    counts: Mapping[str, int] = MappingProxyType({}),
    signs: Sequence[Sign] = SIGNS,
    stretches: Mapping[str, tuple[Stretch, ...]] = MappingProxyType({}),
) -> list[Chart]:
    """One chart a sign of which anything was ever measured in the span. dots: by metric, a list for each source.

    counts: of readings, by metric, where dots stand for more than they are. stretches: what stands for readings that
    were thinned.
    """
    drawn = []
    for sign in signs:
        lines = tuple(
            Line(
                name,
                tuple(d for d in merge(*dots.get(metric, ())) if since <= d.at <= until),
                tuple(g for g in gaps.get(metric, ()) if g[1] >= since),
                counts.get(metric, 0),
                stretches.get(metric, ()),
            )
            for metric, name in zip(sign.metrics, sign.names, strict=True)
        )
        if any(line.dots or line.stretches for line in lines):
            times = [d.at for line in lines for d in line.dots]
            first = min(times + [one.since for line in lines for one in line.stretches])
            start = max(since, first - (until - first) / 40) if until - since > timedelta(days=400) else since
            drawn.append(
                Chart(
                    sign.key,
                    sign.title,
                    sign.ucum,
                    lines,
                    tuple(limits_of(m, limits) for m in sign.metrics),
                    start,
                    until,
                )
            )
    return drawn
