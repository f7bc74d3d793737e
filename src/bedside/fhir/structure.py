"""Whether a resource is well made: FHIR R4's structure, code sets, calendar, references, invariants and safety."""

from typing import Any

import fhirkit

from bedside.fhir.issues import Issue


def validate(resource: dict[str, Any] | bytes, *, warnings: bool = False) -> list[Issue]:
    """Every error of a resource, given as FHIR JSON in a dict or as the raw bytes; empty when it may be kept.

    Bytes are also checked for UTF-8, NUL, duplicate keys and nesting. warnings: also advice (best-practice rules).
    """
    try:
        found = fhirkit.validate(resource)
    except fhirkit.ParseError as error:
        return [Issue("fatal", "structure", "", str(error))]
    return [
        Issue("error" if issue.severity == "error" else "warning", "structure", issue.path, issue.message)
        for issue in found
        if warnings or issue.severity == "error"
    ]
