"""A refusal with its findings: what foundation's errors say in one line, FHIR says issue by issue."""

from collections.abc import Sequence

from bedside.fhir.issues import Issue
from bedside.foundation.errors import BedsideError


class Refused(BedsideError):
    """The resource or the query cannot be taken.

    issues: each with the element or parameter. status: 400 what cannot be read, 422 what reads and breaks a rule.
    """

    code = "invalid"

    def __init__(self, issues: Sequence[Issue], *, status: int | None = None) -> None:
        first = issues[0]
        super().__init__(first.diagnostics, where=first.expression or None)
        self.issues = list(issues)
        unreadable = any(issue.severity == "fatal" for issue in issues)
        self.status = status or (400 if unreadable else 422)
        self.code = first.code

    def under(self, place: str) -> "Refused":
        """The same, told from a container: `Observation.status` below `Bundle.entry[3].resource`."""
        moved = [
            Issue(i.severity, i.code, ".".join([place, *i.expression.split(".")[1:]]), i.diagnostics)
            for i in self.issues
        ]
        return Refused(moved, status=self.status)


class NotAllowed(BedsideError):
    """The address is right, the method is not."""

    status, code = 405, "not-supported"


class NotServed(BedsideError):
    """FHIR knows it, this server does not."""

    status, code = 501, "not-supported"


def refuse(code: str, where: str, diagnostics: str, *, status: int | None = None) -> Refused:
    """A refusal with one finding."""
    return Refused([Issue("error", code, where, diagnostics)], status=status)
