"""What of FHIR's search the record answers: the rest is refused under strict handling and named under lenient."""

from bedside.fhir.grammar import Filter, Has, Sort
from bedside.fhir.issues import Issue

_MODIFIERS: dict[str, frozenset[str | None]] = {
    "token": frozenset({None, "not", "of-type", "missing"}),
    "string": frozenset({None, "exact", "contains", "missing"}),
    "uri": frozenset({None, "above", "below", "missing"}),
    "date": frozenset({None, "missing"}),
    "number": frozenset({None, "missing"}),
    "quantity": frozenset({None, "missing"}),
}
_SORTED = frozenset({"date", "number", "quantity", "string", "uri"})


def served(one: Filter | Has) -> bool:
    """Whether the record answers this condition."""
    if isinstance(one, Has):
        return served(one.filter)
    if one.chain is not None:
        return served(one.chain)
    kind = one.parameter.type
    if kind == "reference":
        return one.modifier not in ("above", "below")
    return kind in _MODIFIERS and one.modifier in _MODIFIERS[kind]


def sorts(key: Sort) -> bool:
    """Whether the record sorts by this."""
    return key.parameter.type in _SORTED or key.parameter.code in ("_id", "_lastUpdated")


def name(one: Filter | Has) -> str:
    """The parameter as it was written."""
    if isinstance(one, Has):
        return f"_has:{one.type}:{one.reference.code}:{name(one.filter)}"
    modifier = f":{one.modifier}" if one.modifier else ""
    return f"{one.parameter.code}{modifier}" + (f".{name(one.chain)}" if one.chain is not None else "")


def issue(severity: str, where: str) -> Issue:
    """What is said of the rest."""
    what = "Results cannot be sorted by this" if where.startswith("_sort") else "This search is not answered here"
    return Issue("error" if severity == "error" else "warning", "not-supported", where, f"{what}.")
