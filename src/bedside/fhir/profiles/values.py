"""Values of FHIR JSON against those of a profile: the same, within, along a path, of a code set."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from bedside.fhir.definitions import table
from bedside.fhir.terminology import Codes


class Value(NamedTuple):
    """A value at its place. key: of the JSON property. type: its datatype, "" where that is not known."""

    value: Any
    path: str
    key: str
    type: str


def found(value: dict[str, Any], name: str, path: str, type_: str) -> list[Value]:
    """The values of a property (`value[x]`: of any type), each by its place; one that is absent for a stated reason
    counts as None."""
    described = table(type_)
    elements = described.elements if described is not None else {}
    keys = [name]
    if name.endswith("[x]"):
        stem = name.removesuffix("[x]")
        keys = [one for one in dict.fromkeys(key.lstrip("_") for key in value) if _chosen(one, stem, elements)]
    result: list[Value] = []
    for key in keys:
        kind = elements[key].type if key in elements else ""
        plain, beside = value.get(key), value.get(f"_{key}")
        if isinstance(plain, list) or isinstance(beside, list):
            items = plain if isinstance(plain, list) else [None] * len(beside or ())
            result += [Value(item, f"{path}.{key}[{n}]", key, kind) for n, item in enumerate(items)]
        elif plain is not None or beside is not None:
            result.append(Value(plain, f"{path}.{key}", key, kind))
    return result


def _chosen(key: str, stem: str, elements: Any) -> bool:
    return key in elements and elements[key].choice == stem


def choice(name: str, type_: str) -> str:
    """The JSON property of a choice: `value[x]` and `Quantity` give `valueQuantity`."""
    return name.removesuffix("[x]") + type_[:1].upper() + type_[1:]


def along(value: Any, steps: Sequence[str]) -> list[Any]:
    """What stands at the end of a path."""
    here = [value]
    for step in steps:
        after: list[Any] = []
        for one in here:
            inner = one.get(step) if isinstance(one, dict) else None
            after += inner if isinstance(inner, list) else [] if inner is None else [inner]
        here = after
    return here


def same(value: Any, wanted: Any) -> bool:
    """Whether two values are one, numbers by what they say."""
    if isinstance(wanted, dict):
        return (
            isinstance(value, dict)
            and value.keys() == wanted.keys()
            and all(same(value[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(same, value, wanted))
    if isinstance(wanted, int | float | Decimal) and not isinstance(wanted, bool):
        number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
        return number and Decimal(str(value)) == Decimal(str(wanted))
    return bool(value == wanted)


def contains(value: Any, pattern: Any) -> bool:
    """Whether all that the pattern says is in the value; of an array each in some item."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(key in value and contains(value[key], pattern[key]) for key in pattern)
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(contains(one, want) for one in value) for want in pattern)
    return same(value, pattern)


def coded(value: Any, codes: Codes) -> bool:
    """Whether a code, Coding, Quantity or CodeableConcept has a code of the set."""
    if isinstance(value, str):
        return any(value in listed for listed in codes.values())
    if not isinstance(value, dict):
        return False
    if "coding" in value:
        return isinstance(value["coding"], list) and any(coded(one, codes) for one in value["coding"])
    return str(value.get("code")) in codes.get(str(value.get("system", "")), ())


def said(value: Any) -> str:
    """A profile's own value in words."""
    if isinstance(value, dict):
        if isinstance(value.get("coding"), list):
            return " and ".join(said(one) for one in value["coding"])
        if "code" in value:
            return f"{value.get('system', '')}|{value['code']}"
        return ", ".join(f"{key} {said(one)}" for key, one in value.items())
    return ", ".join(map(said, value)) if isinstance(value, list) else str(value)
