"""Codes that Bedside writes and looks for by name: vital signs by LOINC with their UCUM units, and their systems.

Sources: LOINC; HL7 US Core 9 vital signs (hl7.org/fhir/us/core); hl7.org/fhir/R4/observation-vitalsigns.html.
"""

from typing import NamedTuple

LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
SNOMED = "http://snomed.info/sct"
ICD_10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
OBSERVATION_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
DATA_ABSENT_REASON = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/"


class VitalSign(NamedTuple):
    """A vital sign as US Core shapes it.

    code: the LOINC code of the Observation (or of the component). also: further codes each coding must carry with it.
    units: the UCUM codes allowed, the first preferred; () for one without a quantity of its own.
    profile: the last part of its US Core profile. components: LOINC codes of the parts of a panel.
    """

    code: str
    name: str
    units: tuple[str, ...]
    profile: str = "us-core-vital-signs"
    also: tuple[str, ...] = ()
    components: tuple[str, ...] = ()


VITAL_SIGNS: dict[str, VitalSign] = {
    sign.code: sign
    for sign in (
        VitalSign("85353-1", "Vital signs panel", ()),
        VitalSign("8867-4", "Heart rate", ("/min",), "us-core-heart-rate"),
        VitalSign("9279-1", "Respiratory rate", ("/min",), "us-core-respiratory-rate"),
        VitalSign(
            "59408-5",
            "Oxygen saturation by pulse oximetry",
            ("%",),
            "us-core-pulse-oximetry",
            also=("2708-6",),
            components=("3151-8", "3150-0"),
        ),
        VitalSign("2708-6", "Oxygen saturation", ("%",), "us-core-pulse-oximetry", also=("59408-5",)),
        VitalSign("3151-8", "Inhaled oxygen flow rate", ("L/min",)),
        VitalSign("3150-0", "Inhaled oxygen concentration", ("%",)),
        VitalSign("8310-5", "Body temperature", ("Cel", "[degF]"), "us-core-body-temperature"),
        VitalSign("29463-7", "Body weight", ("kg", "g", "[lb_av]"), "us-core-body-weight"),
        VitalSign("8302-2", "Body height", ("cm", "[in_i]"), "us-core-body-height"),
        VitalSign("9843-4", "Head circumference", ("cm", "[in_i]"), "us-core-head-circumference"),
        VitalSign("39156-5", "Body mass index", ("kg/m2",), "us-core-bmi"),
        VitalSign("85354-9", "Blood pressure", (), "us-core-blood-pressure", components=("8480-6", "8462-4")),
        VitalSign("8480-6", "Systolic blood pressure", ("mm[Hg]",)),
        VitalSign("8462-4", "Diastolic blood pressure", ("mm[Hg]",)),
        VitalSign(
            "96607-7", "Average blood pressure", (), "us-core-average-blood-pressure", components=("96608-5", "96609-3")
        ),
        VitalSign("96608-5", "Average systolic blood pressure", ("mm[Hg]",)),
        VitalSign("96609-3", "Average diastolic blood pressure", ("mm[Hg]",)),
    )
}
"""By LOINC code, the parts of panels included."""
