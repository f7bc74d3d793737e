"""Types that speak of no patient: what everybody who is signed in may read where it stands outside every patient.

Anything else that names no patient (a Binary, a document, an Observation of a group) may still hold what was said of
one: clinicians and nurses read it, patients and administrators do not. Hazard: a document without its subject.
"""

OPEN = frozenset(
    {
        "ActivityDefinition", "CapabilityStatement", "CatalogEntry", "ChargeItemDefinition", "CodeSystem",
        "CompartmentDefinition", "ConceptMap", "DeviceDefinition", "Endpoint", "EventDefinition", "ExampleScenario",
        "GraphDefinition", "HealthcareService", "ImplementationGuide", "InsurancePlan", "Library", "Location",
        "Measure", "Medication", "MedicationKnowledge", "MessageDefinition", "NamingSystem", "ObservationDefinition",
        "OperationDefinition", "Organization", "OrganizationAffiliation", "PlanDefinition", "Practitioner",
        "PractitionerRole", "Questionnaire", "Schedule", "SearchParameter", "Slot", "SpecimenDefinition",
        "StructureDefinition", "StructureMap", "Substance", "TerminologyCapabilities", "ValueSet",
    }
)  # fmt: skip

CARING = frozenset({"clinician", "nurse"})


def outside(kind: str, roles: frozenset[str], type_: str) -> bool:
    """Whether an actor of this kind and roles may read resources of the type that name no patient.

    Clients and jobs keep to their scopes and purposes, which access decides.
    """
    return kind in ("client", "job") or type_ in OPEN or bool(roles & CARING)
