"""JSON Merge Patch (RFC 7386): no part of FHIR R4, but what some clients (fhirpy) mean by a patch."""

from typing import Any


def apply(resource: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    """The resource with the part laid over it: objects are merged, null takes away, all else replaces.

    What was handed in is not changed. An object that loses its last value goes, as FHIR has no empty ones.
    """
    made = dict(resource)
    for key, value in part.items():
        standing = made.get(key)
        if isinstance(value, dict):
            value = apply(standing if isinstance(standing, dict) else {}, value) or None  # noqa: PLW2901
        if value is None:
            made.pop(key, None)
        else:
            made[key] = value
    return made
