"""What `$stats` counts: the values of one kind of observation, put together by their units.

Codes: http://terminology.hl7.org/CodeSystem/observation-statistics (R4). A value beyond what a device can measure (a
comparator) and one that is absent are counted among all, and are in no other figure.
"""

import statistics
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from bedside.fhir import quantities
from bedside.fhir.vocabulary import UCUM

SYSTEM = "http://terminology.hl7.org/CodeSystem/observation-statistics"
DIGITS = 6
"""Of a figure that is worked out, as average: more would be noise."""


def _cut(parts: int, n: int) -> Callable[[Sequence[float]], float]:
    """The n-th of the values that cut the measured ones into equal parts, the least and the largest among them."""
    return lambda values: statistics.quantiles(values, n=parts, method="inclusive")[n - 1]


COMPUTED: dict[str, tuple[str, Callable[[Sequence[float]], float]]] = {
    "average": ("Average", statistics.fmean),
    "median": ("Median", statistics.median),
    "std-dev": ("Standard Deviation", statistics.stdev),
    "variance": ("Variance", statistics.variance),
    "sum": ("Sum", sum),
    "20-percent": ("20th Percentile", _cut(5, 1)),
    "80-percent": ("80th Percentile", _cut(5, 4)),
    "4-lower": ("Lower Quartile", _cut(4, 1)),
    "4-upper": ("Upper Quartile", _cut(4, 3)),
}
"""By code: the display, and the figure of the values. Deviation and variance are of a sample (n - 1)."""
COUNTED = {"count": "Count", "total-count": "Total Count"}
MEASURED = {"minimum": "Minimum", "maximum": "Maximum"}
"""These are values as they were measured, with every digit."""
KNOWN = tuple(sorted({*COMPUTED, *COUNTED, *MEASURED}))


class Series(msgspec.Struct):
    """The values that convert into one unit: the first that was met. code: by UCUM, if it is one of those. label: what
    is shown beside the value."""

    code: str | None
    label: str | None
    values: list[Decimal] = []

    def take(self, value: Decimal, code: str | None, label: str | None) -> bool:
        """Take the value in; whether it belongs here."""
        if code != self.code:
            made = quantities.convert(value, code, self.code) if code and self.code else None
            if made is None:
                return False
            value = made
        elif code is None and label != self.label:
            return False
        self.values.append(value)
        return True


class Kind(msgspec.Struct):
    """Everything of one code: the series by unit, and how many observations there are, with a value or not."""

    series: list[Series] = []
    total: int = 0

    def take(self, quantity: Any) -> None:
        """Take one observation's value in, None where it has none."""
        self.total += 1
        value = quantities.decimal(quantity.get("value")) if isinstance(quantity, dict) else None
        if value is None or "comparator" in quantity:
            return
        code, label = quantity.get("code") if quantity.get("system") == UCUM else None, quantity.get("unit")
        if not any(one.take(value, code, label) for one in self.series):
            self.series.append(Series(code, label, [value]))


def component(code: str, series: Series, total: int) -> dict[str, Any]:
    """One statistic as a component of an Observation; without a value where too few were measured."""
    display = COUNTED.get(code) or MEASURED.get(code) or COMPUTED[code][0]
    made: dict[str, Any] = {"code": {"coding": [{"system": SYSTEM, "code": code, "display": display}]}}
    if code in COUNTED:
        return {**made, "valueInteger": len(series.values) if code == "count" else total}
    if code in MEASURED:
        figure = None if not series.values else (min if code == "minimum" else max)(series.values)
    else:
        try:
            worked_out = COMPUTED[code][1]([float(one) for one in series.values])
            figure = Decimal(f"{worked_out:.{DIGITS}g}") if series.values else None
        except statistics.StatisticsError:
            figure = None
    if figure is None:
        reason = {"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": "not-applicable"}
        return {**made, "dataAbsentReason": {"coding": [reason], "text": "Too few values for this."}}
    return {**made, "valueQuantity": _quantity(figure, series, squared=code == "variance")}


def _quantity(figure: Decimal, series: Series, *, squared: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"value": Decimal(f"{figure:f}")}
    label = series.label or series.code
    if label is not None:
        made["unit"] = f"({label})2" if squared else label
    if series.code is not None:
        made |= {"system": UCUM, "code": f"({series.code})2" if squared else series.code}
    return made
