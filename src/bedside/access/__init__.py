"""Identity, sessions, grants, consent decisions, audit.

Owns: people and their credentials, places and duties, every relation between a person and a patient, the policy,
and the audit. Knows no FHIR resource. Refuses whatever no row of the policy allows; there is no second door.

A door makes a ctx; `work` opens its transaction and writes its one audit entry; `authorise` is asked before
anything of a patient is read or written.
"""

from bedside.access.model.audit import AuditLine
from bedside.access.model.licence import Licence, LicenceDecision
from bedside.access.model.people import Bed, Duty, GrantRequest, NewPerson, Person, Place, Relation
from bedside.access.service.decide import authorise, may, require, visible
from bedside.access.service.licences import add_licence, licence_decision
from bedside.access.service.people import (
    add_person,
    add_place,
    change_person,
    grant,
    leave_place,
    on_duty,
    patients_at,
    people,
    person,
    person_of_patient,
    place_patient,
    places,
    places_of,
    relate,
    relations_of,
    revoke,
    set_duty,
    unrelate,
)
from bedside.access.service.trail import audit_line, audit_lines, who_looked
from bedside.access.service.unit import work

__all__ = [
    "AuditLine",
    "Bed",
    "Duty",
    "GrantRequest",
    "Licence",
    "LicenceDecision",
    "NewPerson",
    "Person",
    "Place",
    "Relation",
    "add_licence",
    "add_person",
    "add_place",
    "audit_line",
    "audit_lines",
    "authorise",
    "change_person",
    "grant",
    "leave_place",
    "licence_decision",
    "may",
    "on_duty",
    "patients_at",
    "people",
    "person",
    "person_of_patient",
    "place_patient",
    "places",
    "places_of",
    "relate",
    "relations_of",
    "require",
    "revoke",
    "set_duty",
    "unrelate",
    "visible",
    "who_looked",
    "work",
]
