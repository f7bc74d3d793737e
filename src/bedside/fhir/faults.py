"""What a check inside a resource reports while the place is still being found on the way up."""

from typing import Any, NamedTuple

from bedside.fhir.issues import Issue, Severity


class Fault(NamedTuple):
    """A finding at a path relative to the value that was checked; the caller puts its own step before it."""

    path: str
    code: str
    what: str
    severity: Severity = "error"


ENOUGH = 100
"""Faults after which the rest of an array is not looked at: nobody reads more, and a million would be an attack."""

Faults = list[Fault] | None
"""None is the usual answer, and costs nothing."""


def below(step: str, faults: list[Fault]) -> list[Fault]:
    """The faults of a value, seen from its owner."""
    return [fault._replace(path=step + fault.path) for fault in faults]


def both(one: Faults, other: Faults) -> Faults:
    """The faults of two checks."""
    if one is None:
        return other
    return one if other is None else one + other


def issues(root: str, faults: Faults) -> list[Issue]:
    """The faults as issues of a resource of type root."""
    return [Issue(fault.severity, fault.code, root + fault.path, fault.what) for fault in faults or ()]


class Whole:
    """The resource around the value being checked, for rules that look further than their own element."""

    __slots__ = ("advice", "contained", "in_bundle", "resource", "root")

    def __init__(self, root: dict[str, Any], *, in_bundle: bool, advice: bool) -> None:
        self.root = root
        self.resource = root  # the nearest: a contained resource while inside it
        self.in_bundle = in_bundle
        self.advice = advice
        held = root.get("contained")
        self.contained: dict[str, str] = {}
        if isinstance(held, list):
            self.contained = {str(one.get("id")): str(one.get("resourceType")) for one in held if isinstance(one, dict)}
