"""Prescriptions from draft to dispensed, the formulary, and the check at signing.

Owns: prescriptions, their steps, pharmacies, the medicine tables, and in the record the MedicationRequest and
MedicationDispense that carry its identifier. Refuses: controlled medicines (this build is not certified), signing
or cancelling without proof of who you are, signing over a finding without a reason, and any change of what is signed.
"""

from bedside.prescribing.model import (
    FREQUENCIES,
    Check,
    Draft,
    Medicine,
    Pharmacy,
    Prescription,
    find,
    instruction,
    medicine,
)
from bedside.prescribing.service import (
    cancel,
    checks,
    get,
    give_reasons,
    inbox,
    of_patient,
    pharmacies,
    put_pharmacy,
    save,
    sign,
    step,
)

__all__ = [
    "FREQUENCIES",
    "Check",
    "Draft",
    "Medicine",
    "Pharmacy",
    "Prescription",
    "cancel",
    "checks",
    "find",
    "get",
    "give_reasons",
    "inbox",
    "instruction",
    "medicine",
    "of_patient",
    "pharmacies",
    "put_pharmacy",
    "save",
    "sign",
    "step",
]
