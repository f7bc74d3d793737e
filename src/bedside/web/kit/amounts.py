"""Quantities as a reader wants them: °F or °C, lb or kg, mg/dL or mmol/L. What is stored does not change.

Conversions: NIST SP 811 appendix B (temperature, pound); glucose 18.0156 g/mol per decilitre (IUPAC molar mass).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """How a charted UCUM unit is shown: shown = charted * factor + offset, with `digits` decimals.

    sent: the UCUM code of what is shown, for a value that is typed in it.
    """

    word: str
    factor: float = 1
    offset: float = 0
    digits: int | None = None
    sent: str | None = None

    def show(self, value: float) -> float:
        """A charted value as shown."""
        shown = value * self.factor + self.offset
        return round(shown, self.digits) if self.digits is not None else shown


SAME = {
    "mm[Hg]": Unit("mmHg", digits=0, sent="mm[Hg]"),
    "/min": Unit("/min", digits=0, sent="/min"),
    "%": Unit("%", digits=0, sent="%"),
    "L/min": Unit("L/min", digits=1, sent="L/min"),
    "cm": Unit("cm", digits=0, sent="cm"),
    "Cel": Unit("°C", digits=1, sent="Cel"),
    "kg": Unit("kg", digits=1, sent="kg"),
    "kg/m2": Unit("kg/m²", digits=1),
    "mg/dL": Unit("mg/dL", digits=0, sent="mg/dL"),
    "{score}": Unit(""),
}
BY_UNITS = {
    "us": SAME
    | {
        "Cel": Unit("°F", 1.8, 32, 1, "[degF]"),
        "kg": Unit("lb", 1 / 0.45359237, 0, 1, "[lb_av]"),
        "cm": Unit("in", 1 / 2.54, 0, 1, "[in_i]"),
    },
    "metric": SAME | {"mg/dL": Unit("mmol/L", 1 / 18.0156, 0, 1, "mmol/L")},
}
"""By the person's units, then by the charted UCUM unit."""


def unit_of(ucum: str, units: str) -> Unit:
    """How a charted unit is shown to this reader; one that is not in the table is shown as it is."""
    return BY_UNITS[units].get(ucum) or Unit(ucum)
