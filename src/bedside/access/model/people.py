"""People, the places they work in, and what binds them to a patient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
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
    """A ward or a monitoring programme: where patients are watched and staff are on duty. zone: IANA, of its duties.
    closed: since when nobody is watched there any more."""

    id: str
    name: str
    kind: PlaceKind
    zone: str | None = None
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Weekly:
    """When in the week a duty is: ISO weekdays (1 is Monday) on which a shift begins, from and to in the place's time.

    ends at or before begins: on the next day.
    """

    weekdays: frozenset[int]
    begins: time
    ends: time
    zone: str


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody on duty: in a place, as a role, at a step of its on-call ladder (1 is asked first).

    since, until: UTC; until None is open-ended. weekly: None is around the clock. instead_of: for whom this person
    stands in, with their name.
    """

    id: str
    person: str
    name: str
    place: str
    role: str
    step: int
    since: datetime
    until: datetime | None
    weekly: Weekly | None = None
    instead_of: str | None = None
    instead_name: str = ""


@dataclass(frozen=True, slots=True)
class Substitute:
    """From since to until (UTC) `by` is asked instead of person, in one duty or in all of theirs (None)."""

    id: str
    person: str
    name: str
    by: str
    by_name: str
    duty: str | None
    since: datetime
    until: datetime
    by_active: bool = True


@dataclass(frozen=True, slots=True)
class Caregiver:
    """Somebody whom a patient's grant lets in, and whether they are told of alarms. acts: what the
    patient's grants together let them do: look; write, messages too; act, readings too."""

    person: str
    name: str
    actions: str
    what: frozenset[str]
    until: datetime | None
    alerts: bool
    acts: Literal["look", "write", "act"] = "look"


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
