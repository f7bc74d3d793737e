"""What a prescription is and how it is checked: frozen values and pure rules, the tables beside them as TOML."""

from bedside.prescribing.model.check import Check, Current, check
from bedside.prescribing.model.formulary import Medicine, find, medicine, version
from bedside.prescribing.model.prescription import (
    FREQUENCIES,
    Draft,
    Event,
    Pharmacy,
    Prescription,
    Status,
    instruction,
    next_status,
)

__all__ = [
    "FREQUENCIES",
    "Check",
    "Current",
    "Draft",
    "Event",
    "Medicine",
    "Pharmacy",
    "Prescription",
    "Status",
    "check",
    "find",
    "instruction",
    "medicine",
    "next_status",
    "version",
]
