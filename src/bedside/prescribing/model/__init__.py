"""What a prescription is and how it is checked: frozen values and pure rules, the tables beside them as TOML."""

from bedside.prescribing.model.check import Check, Current, check
from bedside.prescribing.model.formulary import Medicine, find, medicine, named, substances, version
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
from bedside.prescribing.model.refill import Refill, impossible

__all__ = [
    "FREQUENCIES",
    "Check",
    "Current",
    "Draft",
    "Event",
    "Medicine",
    "Pharmacy",
    "Prescription",
    "Refill",
    "Status",
    "check",
    "find",
    "impossible",
    "instruction",
    "medicine",
    "named",
    "next_status",
    "substances",
    "version",
]
