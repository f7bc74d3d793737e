"""The facts about a patient that decide which rules may judge them."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from typing import Literal

from bedside.monitoring.rules.model import tables

ADULT_FROM = 16
"""Years. NEWS2 (RCP 2017) is not for anybody under 16, nor in pregnancy; the default limits follow it."""


@dataclass(frozen=True, slots=True)
class Profile:
    """news2_scale: 2 only where a clinician set it for hypercapnic failure with a target of 88-92 %; else 1."""

    birth_date: date | None = None
    pregnant: bool = False
    news2_scale: Literal[1, 2] = 1
    news2_applies: bool = True
    """False where the score is not used for this patient."""
    programmes: tuple[str, ...] = ()
    """Those that staff enrolled the patient in, in the order of the alphabet."""

    @property
    def scored(self) -> bool:
        """Whether NEWS2 is used: not where the patient, or a programme, has no use for it (organ support)."""
        return self.news2_applies and tables.unscored().isdisjoint(self.programmes)

    def age(self, on: date) -> int | None:
        """Whole years, or None when the birth date is not known."""
        if self.birth_date is None:
            return None
        born = self.birth_date
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))

    def without_defaults(self, on: date) -> str | None:
        """Why the adult defaults may not be used ('age-unknown', 'under-16', 'pregnant'), or None when they may."""
        age = self.age(on)
        if age is None:
            return "age-unknown"
        if age < ADULT_FROM:
            return "under-16"
        return "pregnant" if self.pregnant else None


def youngest(born: str) -> date:
    """The last day that a FHIR date (a year, a month or a day) can mean: nobody is taken for older than they are."""
    year, *rest = (int(part) for part in born.split("-"))
    month = rest[0] if rest else 12
    return date(year, month, rest[1] if len(rest) > 1 else monthrange(year, month)[1])
