"""Records of one person that were joined (Patient.link): the one that goes on, and those that it goes on for.

Source: hl7.org/fhir/R4/patient-definitions.html#Patient.link, hl7.org/fhir/R4/valueset-link-type.html.
"""

from collections.abc import Mapping
from typing import Any

from bedside.fhir import references


def goes_on(patient: Mapping[str, Any]) -> str | None:
    """The id of the patient record that is used instead of this one; None where this one goes on itself."""
    return next(iter(_linked(patient, "replaced-by")), None)


def also(patient: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids of the patient records that this one is used instead of."""
    return _linked(patient, "replaces")


def _linked(patient: Mapping[str, Any], kind: str) -> tuple[str, ...]:
    found = (
        references.parse(str((link.get("other") or {}).get("reference", "")))
        for link in patient.get("link") or ()
        if link.get("type") == kind
    )
    return tuple(one.id for one in found if one.type == "Patient" and one.id is not None and one.server is None)
