"""What a patient's AllergyIntolerances say together. "None recorded" is not "none known": only a record of having asked
says that there are none, and only of what was asked about. Pure. Hazard H12 in docs/hazards.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from bedside.fhir.concepts import code, codes, standing, words

Kind = Literal["all", "drug", "environment", "food"]

NONE_KNOWN: dict[str, Kind] = {
    "716186003": "all",
    "160244002": "all",
    "no-known-allergies": "all",
    "409137002": "drug",
    "428607008": "environment",
    "429625007": "food",
}
"""Codes that deny allergies, and which. SNOMED CT "No known allergy" and its children (a situation with explicit
context, as the IPS and US Core allergy value sets use them); 160244002 is its older concept; the last of "all" is
of the IPS code system absent-unknown-uv-ips."""


@dataclass(frozen=True, slots=True)
class Allergies:
    """names: of the allergies that stand. denied: what somebody asked about and recorded as not known."""

    names: tuple[str, ...]
    denied: frozenset[Kind]

    @property
    def none_known(self) -> bool:
        """Whether somebody recorded that there are none at all."""
        return not self.names and "all" in self.denied


def denies(concept_codes: Iterable[str]) -> Kind | None:
    """Which allergies a record with these codes denies; None where it is an allergy."""
    return next((NONE_KNOWN[c] for c in concept_codes if c in NONE_KNOWN), None)


def stands(allergy: dict[str, Any]) -> bool:
    """Whether an AllergyIntolerance counts now: neither refuted, nor past, nor entered in error."""
    return (
        bool(standing([allergy]))
        and code(allergy.get("verificationStatus")) != "refuted"
        and code(allergy.get("clinicalStatus")) not in {"inactive", "resolved"}
    )


def known(found: Iterable[dict[str, Any]]) -> Allergies:
    """What all of a patient's AllergyIntolerances say together."""
    live = [a for a in found if stands(a)]
    denied = frozenset(kind for a in live if (kind := denies(codes(a.get("code")))))
    names = tuple(dict.fromkeys(words(a.get("code")) for a in live if not denies(codes(a.get("code")))))
    return Allergies(names, denied)
