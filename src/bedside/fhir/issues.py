"""What is wrong with a resource or a request, as FHIR says it (hl7.org/fhir/R4/operationoutcome.html)."""

import re
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

LONGEST = 1000
"""Characters of a place or of a diagnosis."""
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

Severity = Literal["fatal", "error", "warning", "information"]


class Issue(msgspec.Struct, frozen=True):
    """One finding.

    code: a FHIR issue-type code (structure, required, value, invariant, code-invalid, security, …).
    expression: where, as a FHIRPath a person can read: `Observation.component[0].valueQuantity`; "" for all.
    diagnostics: the rule that is broken, in words. Never the refused value itself: it may be a patient's.
    """

    severity: Severity
    code: str
    expression: str
    diagnostics: str


def outcome(issues: Iterable[Issue], *, id: str | None = None) -> dict[str, Any]:  # noqa: A002  FHIR's own name
    """An OperationOutcome holding the issues; with none, one that says that all is well (R4 demands at least one)."""
    found = list(issues) or [Issue("information", "informational", "", "No problem was found.")]
    resource: dict[str, Any] = {"resourceType": "OperationOutcome"}
    if id is not None:
        resource["id"] = id
    resource["issue"] = [_issue(issue) for issue in found]
    return resource


def _issue(issue: Issue) -> dict[str, Any]:
    rendered: dict[str, Any] = {"severity": issue.severity, "code": issue.code, "diagnostics": said(issue.diagnostics)}
    if place := said(issue.expression):
        rendered["expression"] = [place]
    return rendered


def said(text: str) -> str:
    """A text as FHIR's string may hold it: where something is wrong may be told by a caller's own odd words."""
    return _UNPRINTABLE.sub("?", text[:LONGEST]).strip()


def has_error(issues: Iterable[Issue]) -> bool:
    """Whether any issue forbids keeping the resource."""
    return any(issue.severity in ("error", "fatal") for issue in issues)
