"""What the audit says was done, in its reader's words."""

from __future__ import annotations

from bedside.foundation.errors import N_
from bedside.web.kit import written

AT_THE_DOOR = {
    "read the history of": N_("read earlier versions: %(what)s"),
    "searched": N_("searched: %(what)s"),
    "created": N_("added: %(what)s"),
    "changed": N_("changed: %(what)s"),
    "deleted": N_("deleted: %(what)s"),
    "read": N_("read: %(what)s"),
}
"""What programs do at /fhir/R4 is written down as a verb and a FHIR type; longer verbs first."""
TYPES = {
    "AllergyIntolerance": N_("allergies"),
    "AuditEvent": N_("who looked"),
    "Binary": N_("files"),
    "CarePlan": N_("care plans"),
    "CareTeam": N_("who takes care of you"),
    "Claim": N_("bills"),
    "Condition": N_("problems"),
    "Coverage": N_("insurance"),
    "DetectedIssue": N_("alarms"),
    "Device": N_("devices"),
    "DiagnosticReport": N_("reports"),
    "DocumentReference": N_("documents"),
    "Encounter": N_("visits"),
    "ExplanationOfBenefit": N_("bills"),
    "Immunization": N_("vaccinations"),
    "MedicationDispense": N_("medicines handed out"),
    "MedicationRequest": N_("prescriptions"),
    "MedicationStatement": N_("medicines taken"),
    "Observation": N_("measurements and results"),
    "Patient": N_("name, address and contacts"),
    "Procedure": N_("procedures"),
    "ServiceRequest": N_("orders"),
    "the record": N_("the whole record"),
}
"""FHIR types as a patient calls them; one that is not here keeps its name."""


def deed(action: str, translate: written.Translator) -> str:
    """What was done, in the reader's words: a msgid of the catalogue, or a verb and a type of the record's own door."""
    for verb, msgid in AT_THE_DOOR.items():
        type_ = action.removeprefix(f"{verb} ")
        if type_ != action and (type_ in TYPES or (type_.isalpha() and type_[0].isupper())):
            return translate(msgid) % {"what": translate(TYPES.get(type_, type_))}
    return translate(action)
