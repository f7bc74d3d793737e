"""Laboratory results by test: the newest value, its range and flag, the one before. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bedside.fhir.concepts import code, in_error, words
from bedside.web.clinician.resources import Resource, effective
from bedside.web.kit.places import N_

FLAGS = {
    "H": N_("high"),
    "L": N_("low"),
    "HH": N_("critically high"),
    "LL": N_("critically low"),
    "A": N_("abnormal"),
    "AA": N_("critically abnormal"),
}
"""HL7 v3 ObservationInterpretation; normal is not said."""


@dataclass(frozen=True, slots=True)
class Result:
    """One test: value as the laboratory wrote it, its unit, range and flag; before: the value before and its date."""

    test: str
    value: str
    unit: str
    when: str | None
    range: str
    flag: str
    before: str
    before_when: str | None
    count: int
    preliminary: bool


def results(observations: Sequence[Resource]) -> list[Result]:
    """One row a test, the test with the newest value first. Corrected results supersede: the later version is what
    the record holds; what was entered in error is left out."""
    by_test: dict[str, list[Resource]] = {}
    for one in sorted(observations, key=lambda r: effective(r) or "", reverse=True):
        if in_error(one) or one.get("status") == "cancelled" or not value_of(one)[0]:
            continue
        by_test.setdefault(code(one.get("code")) or words(one.get("code")), []).append(one)
    rows = []
    for found in by_test.values():
        newest = found[0]
        value, unit = value_of(newest)
        before = found[1] if len(found) > 1 else None
        rows.append(
            Result(
                test=words(newest.get("code")),
                value=value,
                unit=unit,
                when=effective(newest),
                range=_range(newest),
                flag=next((FLAGS[c] for i in newest.get("interpretation") or [] if (c := code(i)) in FLAGS), ""),
                before=value_of(before)[0] if before else "",
                before_when=effective(before) if before else None,
                count=len(found),
                preliminary=newest.get("status") in {"preliminary", "registered"},
            )
        )
    return rows


def value_of(observation: Resource) -> tuple[str, str]:
    """Value and unit as text; ("", "") when it has none (a missing value is never a zero)."""
    if "valueQuantity" in observation:
        quantity = observation["valueQuantity"]
        if quantity.get("value") is None:
            return "", ""
        # As the laboratory wrote it, trailing zeros too; more digits than any instrument has are an export's noise.
        said = str(quantity["value"])
        if sum(c.isdigit() for c in said) > 6:
            said = f"{float(said):.4g}"
        return f"{quantity.get('comparator', '')}{said}", str(quantity.get("unit") or quantity.get("code") or "")
    if "valueCodeableConcept" in observation:
        return words(observation["valueCodeableConcept"]), ""
    for name in ("valueString", "valueInteger", "valueDateTime", "valueTime"):
        if name in observation:
            return str(observation[name]), ""
    if "valueBoolean" in observation:
        return (N_("yes") if observation["valueBoolean"] else N_("no")), ""
    parts = [f"{words(c.get('code'))} {' '.join(value_of(c))}".strip() for c in observation.get("component") or []]
    return "; ".join(parts), ""


def _range(observation: Resource) -> str:
    for one in observation.get("referenceRange") or []:
        if one.get("text"):
            return str(one["text"])
        low, high = (one.get(end, {}).get("value") for end in ("low", "high"))
        if low is not None and high is not None:
            return f"{low:g}–{high:g}"
        if low is not None:
            return f"≥ {low:g}"
        if high is not None:
            return f"≤ {high:g}"
    return ""
