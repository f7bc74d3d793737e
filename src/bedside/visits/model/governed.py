"""What visits governs in the record: no generic write passes."""

from __future__ import annotations

from typing import Any

from bedside.visits.model import draft, encounter, note


def carries(resource: dict[str, Any], system: str) -> bool:
    """Whether the resource has an identifier of this system."""
    identifiers = resource.get("identifier")
    return isinstance(identifiers, list) and any(isinstance(i, dict) and i.get("system") == system for i in identifiers)


def is_visit(resource: dict[str, Any]) -> bool:
    """An Encounter that a visit pictures."""
    return carries(resource, encounter.IDENTIFIER)


def is_note(resource: dict[str, Any]) -> bool:
    """A DocumentReference that a signed note pictures."""
    return carries(resource, note.IDENTIFIER)


def is_signed(resource: dict[str, Any]) -> bool:
    """A DocumentReference that is a note of its own, and signed."""
    return carries(resource, draft.SIGNED)
