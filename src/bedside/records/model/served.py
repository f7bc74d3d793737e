"""What of FHIR's search the record answers: the rest is refused under strict handling and named under lenient."""

from bedside.fhir.grammar import Has, Include, Sort
from bedside.fhir.issues import Issue
from bedside.fhir.paths import Irregular, paths, root
from bedside.fhir.query import Compartment, Condition, Group

_ELSEWHERE = "AuditEvent"
"""Kept by another room: its entries are found by themselves, and nothing leads to them."""


def served(one: Condition) -> bool:
    """Whether the record answers this condition."""
    if isinstance(one, Group):
        return all(map(served, one.parts))
    if isinstance(one, Compartment):
        return True
    if isinstance(one, Has):
        return one.type != _ELSEWHERE and served(one.filter)
    return one.chain is None or (one.targets != (_ELSEWHERE,) and served(one.chain))


def includes(one: Include) -> bool:
    """Whether the record answers this `_revinclude`."""
    return one.source != _ELSEWHERE


def sorts(type_: str, key: Sort) -> bool:
    """Whether the record sorts a type by this: a code that an expression makes stands nowhere to be read."""
    if key.parameter.type not in ("token", "reference") or key.parameter.code == "_id":
        return True
    try:
        paths(key.parameter.tree or [], root(type_))
    except Irregular:
        return False
    return True


def name(one: Condition) -> str:
    """The parameter as it was written."""
    if isinstance(one, Group):
        return "_filter"
    if isinstance(one, Compartment):
        return one.name
    if isinstance(one, Has):
        return f"_has:{one.type}:{one.reference.code}:{name(one.filter)}"
    modifier = f":{one.modifier}" if one.modifier else ""
    return f"{one.parameter.code}{modifier}" + (f".{name(one.chain)}" if one.chain is not None else "")


def issue(severity: str, where: str) -> Issue:
    """What is said of the rest."""
    what = "Results cannot be sorted by this" if where.startswith("_sort") else "This search is not answered here"
    return Issue("error" if severity == "error" else "warning", "not-supported", where, f"{what}.")
