"""FHIR R4 Observations (hl7.org/fhir/R4/observation-vitalsigns.html), alone or in a Bundle, to a Pack. Pure.

A device sends what it measured; so of an Observation only value, unit and time are kept, and what would change their
meaning (another status, a comparator, another patient, a component that is not known) refuses it whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from bedside.monitoring.devices.model import IDENTIFIER
from bedside.monitoring.ingest.model.metrics import METRICS, Metric
from bedside.monitoring.ingest.model.pack import Refusal
from bedside.monitoring.ingest.model.taken import (
    NotAPack,
    Refused,
    Taken,
    Told,
    add_whole,
    charted,
    empty,
    end_of,
    few,
    instant,
    json_of,
    number,
    refuse_impossible_pairs,
    timely,
)

LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
SHAPE: Final = re.compile(r"\d{1,7}-\d")
BY_LOINC: Final[dict[str, Metric]] = {
    code: metric for metric in METRICS.values() for code in (metric.loinc, *metric.also) if SHAPE.fullmatch(code)
}
PANELS: Final = frozenset({"85354-9", "55284-4", "35094-2", "85353-1"})
"""Codes that have no value of their own: blood pressure, three ways, and the vital signs panel."""
BUNDLES: Final = ("batch", "collection")
LOCAL: Final = re.compile(r"(Patient|Device)/([A-Za-z0-9\-.]{1,64})")


def decode(payload: bytes, received: int, device: str, base: str) -> Told:
    """Read what `device` sent at `received` (µs since 1970). base: this installation's FHIR base, ending in a slash.

    Raises NotAPack when it is neither an Observation nor a Bundle of type batch or collection.
    """
    told = Told(empty(payload, received))
    for index, resource in enumerate(_resources(json_of(payload), told)):
        try:
            if isinstance(resource, Refused):
                raise resource
            _take(told, index, resource, device, base)
        except Refused as refusal:
            told.patients.pop(index, None)
            told.pack.refused.append(Refusal(index, str(refusal)))
    refuse_impossible_pairs(told.pack, told.places, whole=True)
    return told


def _resources(found: Any, told: Told) -> Iterator[dict[str, Any] | Refused]:
    kind = found.get("resourceType") if isinstance(found, dict) else None
    if kind == "Observation":
        yield found
        return
    if kind != "Bundle":
        raise NotAPack("neither an Observation nor a Bundle of them")
    entries = found.get("entry", [])
    if found.get("type") not in BUNDLES:
        raise NotAPack("a Bundle of type batch or collection is taken here; each entry stands for itself")
    if not isinstance(entries, list):
        raise NotAPack("the entries are no list")
    told.records, told.several = len(few(entries)), True
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict):
            yield Refused("there is no resource")
        elif found["type"] == "batch" and not _posts(entry.get("request")):
            yield Refused("only POST Observation is taken here")
        else:
            yield resource


def _posts(request: Any) -> bool:
    return isinstance(request, dict) and request.get("method") == "POST" and request.get("url") == "Observation"


def _take(told: Told, index: int, resource: dict[str, Any], device: str, base: str) -> None:
    if resource.get("resourceType") != "Observation":
        raise Refused("only an Observation is taken here")
    if resource.get("status") != "final":
        raise Refused("only what is final is taken: a reading cannot be changed later")
    if "modifierExtension" in resource or "implicitRules" in resource:
        raise Refused("something that must be understood is not known here")
    named = _reference(resource.get("device"), "Device", base)
    if named is not None and named != device:
        raise Refused("it names another device")
    patient = _reference(resource.get("subject"), "Patient", base)
    if patient is not None:
        told.patients[index] = patient
    moment = timely(_moment(resource), told.pack.received)
    add_whole(told.pack, told.places, index, _readings(resource, moment))


def _reference(value: Any, kind: str, base: str) -> str | None:
    """The id that a reference names, None where there is none. Raises Refused when it names nothing that is here."""
    if value is None:
        return None
    if isinstance(value, dict):
        text, identifier = value.get("reference"), value.get("identifier")
        if isinstance(text, str):
            found = LOCAL.fullmatch(text.removeprefix(base))
            if found is not None and found[1] == kind:
                return found[2]
        elif kind == "Device" and isinstance(identifier, dict) and identifier.get("system") == IDENTIFIER:
            return str(identifier.get("value"))
    raise Refused(f"the {'subject' if kind == 'Patient' else 'device'} is no {kind} of this record")


def _moment(resource: dict[str, Any]) -> int:
    if "effectivePeriod" in resource:
        period = resource["effectivePeriod"]
        if not isinstance(period, dict):
            raise Refused("effectivePeriod is no Period")
        return end_of(*(instant(period.get(side), f"effectivePeriod.{side}") for side in ("start", "end")))
    name = "effectiveInstant" if "effectiveInstant" in resource else "effectiveDateTime"
    return instant(resource.get(name), name)


def _readings(resource: dict[str, Any], moment: int) -> list[Taken]:
    codes = _codes(resource.get("code"))
    metric = _metric(codes)
    if metric is None and codes.isdisjoint(PANELS):
        raise Refused("unknown metric")
    components = resource.get("component", [])
    if not isinstance(components, list):
        raise Refused("the components are no list")
    found = []
    if (value := _value(resource, metric)) is not None and metric is not None:
        found.append(Taken(metric, moment, *value))
    for component in components:
        if not isinstance(component, dict):
            raise Refused("a component is no component")
        of = _metric(_codes(component.get("code")))
        if of is None or "modifierExtension" in component:
            raise Refused("a component is not known here")
        if (value := _value(component, of)) is not None:
            found.append(Taken(of, moment, *value))
    if not found:
        raise Refused("there is no number in valueQuantity")
    return found


def _codes(concept: Any) -> frozenset[str]:
    codings = concept.get("coding", []) if isinstance(concept, dict) else []
    if not isinstance(codings, list):
        raise Refused("the code is no CodeableConcept")
    return frozenset(
        one["code"]
        for one in codings
        if isinstance(one, dict) and one.get("system") == LOINC and isinstance(one.get("code"), str)
    )


def _metric(codes: frozenset[str]) -> Metric | None:
    known = {BY_LOINC[code].number for code in codes if code in BY_LOINC}
    if len(known) > 1 or (known and not codes.isdisjoint(PANELS)):
        raise Refused("its codes say different things")
    return METRICS[known.pop()] if known else None


def _value(holder: dict[str, Any], metric: Metric | None) -> tuple[float, tuple[float, str] | None] | None:
    """Value as charted and as sent; None where there is none. Raises Refused for what is no plain quantity."""
    values = [key for key in holder if key.startswith("value")]
    if not values:
        return None
    quantity = holder["valueQuantity"] if values == ["valueQuantity"] else None
    if metric is None or metric.letters or not isinstance(quantity, dict) or "dataAbsentReason" in holder:
        raise Refused("only a number in valueQuantity is taken here")
    if "comparator" in quantity:
        raise Refused("a number with a comparator is a bound, no measurement")
    if quantity.get("system") != UCUM:
        raise Refused("the unit is not given by its UCUM code")
    return charted(metric, number(quantity.get("value"), "the value"), quantity.get("code"))
