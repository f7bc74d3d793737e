"""People, the places they work in, and what binds them to a patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ROLES = frozenset(
    {"patient", "caregiver", "clinician", "nurse", "pharmacist", "administrator", "privacy-officer", "display"}
)
STAFF = frozenset({"clinician", "nurse", "pharmacist", "administrator", "privacy-officer"})

PlaceKind = Literal["ward", "programme", "pharmacy"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account (or a wall display, whose only role is `display`).

    id: UUIDv7. reference: the FHIR resource that pictures them (Patient/…, Practitioner/…, RelatedPerson/…).
    language: BCP 47. units: 'metric' or 'us'. zone: IANA. patient: the id of their own record, if they have one.
    """

    id: str
    name: str
    roles: frozenset[str]
    reference: str | None = None
    language: str = "en"
    phone: str | None = None
    email: str | None = None
    units: str = "metric"
    zone: str = "UTC"
    patient: str | None = None
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class NewPerson:
    """What add_person takes. Without id one is made; without reference it follows from the roles.

    password, pin: set at once (a seeded or imported person); else the person sets them from their invitation.
    """

    name: str
    roles: frozenset[str]
    id: str | None = None
    reference: str | None = None
    language: str = "en"
    phone: str | None = None
    email: str | None = None
    units: str = "metric"
    zone: str = "UTC"
    patient: str | None = None
    password: str | None = None
    pin: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A ward or a monitoring programme: where patients are watched and staff are on duty."""

    id: str
    name: str
    kind: PlaceKind


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody on duty: in a place, as a role, at a step of its on-call ladder (1 is asked first).

    since, until: UTC; until None is open-ended.
    """

    id: str
    person: str
    name: str
    place: str
    role: str
    step: int
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Bed:
    """A patient's stay in a place. bed: the bed or seat, where the place has them."""

    place: str
    patient: str
    bed: str | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Relation:
    """Why somebody may come near a patient's record.

    kind: care, visit, alarm, pharmacy, device, emergency. source: what made it ('Alarm/…', 'Encounter/…',
    'MedicationRequest/…'): unrelate ends all of one source.
    """

    person: str
    patient: str
    kind: str
    source: str
    since: datetime
    until: datetime | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRequest:
    """What a patient lets a caregiver do.

    actions: letters of CRUDE. what: resource types, or {'*'}. source: Consent/…
    """

    person: str
    patient: str
    actions: str
    what: frozenset[str]
    source: str
    id: str | None = None
    until: datetime | None = None
