"""The staff of the demo's clinic and the few people whose names the story needs."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Literal

CLINIC = {
    "name": "Riverside Clinic",
    "zone": "America/New_York",
    "country": "US",
    "language": "en",
    "units": "metric",
    "telephone": "+1 212 555 0100",
    "emergency": "911",
}

PLACES: tuple[tuple[str, str, Literal["ward", "programme"]], ...] = (
    # id, name, kind
    ("virtual-ward", "Virtual ward", "ward"),
    ("home-monitoring", "Home monitoring", "programme"),
)


@dataclass(frozen=True, slots=True)
class Staff:
    """A seeded colleague. duties: (place, ladder step) — step 1 is called first. nights: the same, from 20 to 8."""

    key: str
    name: str
    roles: tuple[str, ...]
    title: str
    duties: tuple[tuple[str, int], ...] = ()
    nights: tuple[tuple[str, int], ...] = ()
    language: str = "en"
    licences: tuple[str, ...] = ()


STAFF = (
    Staff(
        "nurse",
        "Amina Haddad",
        ("nurse",),
        "Monitoring nurse",
        (("virtual-ward", 1), ("home-monitoring", 1)),
        licences=("US-NY", "US-NJ"),
    ),
    Staff(
        "nurse-2",
        "Tom Berg",
        ("nurse",),
        "Charge nurse",
        (("virtual-ward", 2), ("home-monitoring", 2)),
        licences=("US-NY",),
    ),
    Staff(
        "clinician",
        "Elena Ruiz",
        ("clinician",),
        "Physician",
        (("virtual-ward", 3), ("home-monitoring", 3)),
        licences=("US-NY", "US-NJ"),
    ),
    Staff(
        "clinician-2",
        "Samuel Okafor",
        ("clinician",),
        "Cardiologist",
        nights=(("virtual-ward", 4),),
        licences=("US-NY",),
    ),
    Staff("pharmacist", "Grace Lin", ("pharmacist",), "Pharmacist, Harbor Street Pharmacy"),
    Staff("administrator", "Pat Morgan", ("administrator",), "Practice manager"),
    Staff("privacy-officer", "Inês Costa", ("privacy-officer",), "Privacy officer"),
)

PHARMACY = "harbor-street-pharmacy"


def identity(seed: int, *parts: object) -> str:
    """The same UUID for the same seed and name, so that a seed repeats a clinic exactly."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, ":".join(["bedside-demo", str(seed), *map(str, parts)])))
