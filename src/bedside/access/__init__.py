"""Identity, sessions, grants, consent decisions, audit.

Owns: people and their credentials, places and duties, every relation between a person and a patient, the policy,
and the audit. Knows no FHIR resource. Refuses whatever no row of the policy allows; there is no second door.

A door makes a ctx; `work` opens its transaction and writes its one audit entry; `authorise` is asked before
anything of a patient is read or written.
"""

from bedside.access.model.audit import AuditLine
from bedside.access.model.clinic import Clinic
from bedside.access.model.licence import Licence, LicenceDecision
from bedside.access.model.people import (
    Bed,
    Caregiver,
    Duty,
    GrantRequest,
    NewPerson,
    Person,
    Place,
    Relation,
    Substitute,
    Weekly,
)
from bedside.access.model.sign_in import NextStep, Proof, Session, SignedIn
from bedside.access.model.timetable import Gap, Turn, instant
from bedside.access.service import (
    applying,
    calling,
    caregivers,
    caring,
    emergencies,
    ending,
    invited,
    limits,
    passkeys,
    printed,
    recovery,
    registering,
    rota,
    sign_in,
    staff_list,
)
from bedside.access.service import clinic as clinics
from bedside.access.service.appointing import appoint
from bedside.access.service.clients import NewClient, add_client, clients, end_client
from bedside.access.service.confirm import break_glass, confirm, set_pin
from bedside.access.service.decide import absent, authorise, may, require, visible
from bedside.access.service.duties import on_duty, set_duty
from bedside.access.service.leaving import InHand, in_hand, leave, successor
from bedside.access.service.licences import add_licence, licence_decision, licences_ending, licences_of
from bedside.access.service.people import (
    add_person,
    add_place,
    change_person,
    grant,
    leave_place,
    patients_at,
    people,
    person,
    person_of_patient,
    persons,
    place_patient,
    places,
    places_of,
    relate,
    relations_of,
    revoke,
    staff,
    unrelate,
)
from bedside.access.service.rota import Week
from bedside.access.service.sealing import AuditReport, seal_audit, trim_heads, verify_audit
from bedside.access.service.sessions import (
    drop_cookie,
    keep_alive,
    last_seen,
    open_display,
    sessions,
    set_cookie,
    sign_out,
    sign_out_everywhere,
)
from bedside.access.service.trail import audit_line, audit_lines, who_looked
from bedside.access.service.unit import share, work

__all__ = [
    "AuditLine",
    "AuditReport",
    "Bed",
    "Caregiver",
    "Clinic",
    "Duty",
    "Gap",
    "GrantRequest",
    "InHand",
    "Licence",
    "LicenceDecision",
    "NewClient",
    "NewPerson",
    "NextStep",
    "Person",
    "Place",
    "Proof",
    "Relation",
    "Session",
    "SignedIn",
    "Substitute",
    "Turn",
    "Week",
    "Weekly",
    "absent",
    "add_client",
    "add_licence",
    "add_person",
    "add_place",
    "applying",
    "appoint",
    "audit_line",
    "audit_lines",
    "authorise",
    "break_glass",
    "calling",
    "caregivers",
    "caring",
    "change_person",
    "clients",
    "clinics",
    "confirm",
    "drop_cookie",
    "emergencies",
    "end_client",
    "ending",
    "grant",
    "in_hand",
    "instant",
    "invited",
    "keep_alive",
    "last_seen",
    "leave",
    "leave_place",
    "licence_decision",
    "licences_ending",
    "licences_of",
    "limits",
    "may",
    "on_duty",
    "open_display",
    "passkeys",
    "patients_at",
    "people",
    "person",
    "person_of_patient",
    "persons",
    "place_patient",
    "places",
    "places_of",
    "printed",
    "recovery",
    "registering",
    "relate",
    "relations_of",
    "require",
    "revoke",
    "rota",
    "seal_audit",
    "sessions",
    "set_cookie",
    "set_duty",
    "set_pin",
    "share",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "staff",
    "staff_list",
    "successor",
    "trim_heads",
    "unrelate",
    "verify_audit",
    "visible",
    "who_looked",
    "work",
]
