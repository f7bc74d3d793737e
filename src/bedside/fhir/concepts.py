"""What a CodeableConcept says, and whether a resource still counts. Pure; of any resource type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ERROR = "entered-in-error"


def words(concept: dict[str, Any] | None) -> str:
    """What a CodeableConcept says: its text, else its first display, else its first code; "" for none."""
    if not concept:
        return ""
    codings = concept.get("coding") or []
    said = concept.get("text") or next((c["display"] for c in codings if c.get("display")), "")
    return str(said or next((c["code"] for c in codings if c.get("code")), ""))


def code(concept: dict[str, Any] | None, system: str | None = None) -> str:
    """The first code of a CodeableConcept, of one system where one is named; "" for none."""
    for coding in (concept or {}).get("coding") or []:
        if coding.get("code") and (system is None or coding.get("system") == system):
            return str(coding["code"])
    return ""


def codes(concept: dict[str, Any] | None) -> frozenset[str]:
    """Every code of a CodeableConcept."""
    return frozenset(str(c["code"]) for c in (concept or {}).get("coding") or [] if c.get("code"))


def in_error(resource: dict[str, Any]) -> bool:
    """Whether it was entered in error: by status, or by verification status where the type has one."""
    return resource.get("status") == ERROR or code(resource.get("verificationStatus")) == ERROR


def standing(resources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that were not entered in error."""
    return [r for r in resources if not in_error(r)]
