"""Prescriptions from draft to dispensed and on to their refills, the formulary, and the check at signing.

Owns: prescriptions, their steps, patients' requests for refills, pharmacies, the medicine tables, and in the record the
MedicationRequest and MedicationDispense that carry its identifiers. Refuses: controlled medicines (this build is not
certified), signing or cancelling without proof of who you are, signing over a finding without a reason, and any change
of what is signed.
"""

from bedside.prescribing.model import (
    FREQUENCIES,
    Check,
    Draft,
    Medicine,
    Pharmacy,
    Prescription,
    Refill,
    find,
    impossible,
    instruction,
    medicine,
    named,
    substances,
)
from bedside.prescribing.service.leaving import RefillsInHand, hand_on, in_hand
from bedside.prescribing.service.prescriptions import (
    cancel,
    checks,
    drafts,
    get,
    give_reasons,
    inbox,
    of_patient,
    pharmacies,
    put_pharmacy,
    refused,
    running_out,
    save,
    sign,
    step,
    to_dispense,
    waiting_at,
)
from bedside.prescribing.service.refills import ask_refill, refill, refills, refills_to_answer, refuse_refill

__all__ = [
    "FREQUENCIES",
    "Check",
    "Draft",
    "Medicine",
    "Pharmacy",
    "Prescription",
    "Refill",
    "RefillsInHand",
    "ask_refill",
    "cancel",
    "checks",
    "drafts",
    "find",
    "get",
    "give_reasons",
    "hand_on",
    "impossible",
    "in_hand",
    "inbox",
    "instruction",
    "medicine",
    "named",
    "of_patient",
    "pharmacies",
    "put_pharmacy",
    "refill",
    "refills",
    "refills_to_answer",
    "refuse_refill",
    "refused",
    "running_out",
    "save",
    "sign",
    "step",
    "substances",
    "to_dispense",
    "waiting_at",
]
