"""Values in FHIRPath: comparing, equality and truth (hl7.org/fhirpath/N1, sections 4.5 and 6)."""

from decimal import Decimal
from typing import Any

from bedside.fhir import dates, quantities

Focus = list[Any]
TRUE: Focus = [True]
FALSE: Focus = [False]
NONE: Focus = []


def truth(found: Focus) -> bool | None:
    """A collection as true, false or unknown (None): one that is not a boolean counts as true."""
    if not found:
        return None
    return found[0] if isinstance(found[0], bool) and len(found) == 1 else True


def said(value: bool | None) -> Focus:
    """True, false or unknown as a collection."""
    return NONE if value is None else TRUE if value else FALSE


def same(one: Any, other: Any) -> bool:
    """Equality of two values; `1.0` is `1`, but true is not 1."""
    if isinstance(one, bool) is not isinstance(other, bool):
        return False
    if isinstance(one, float) or isinstance(other, float):
        left, right = quantities.decimal(one), quantities.decimal(other)
        return left is not None and left == right
    return bool(one == other)


def equal(left: Focus, right: Focus) -> bool | None:
    """The operator `=`: unknown when a side is empty."""
    if not left or not right:
        return None
    return len(left) == len(right) and all(map(same, left, right))


def holds(found: Focus, value: Any) -> bool:
    """Whether a collection has the value."""
    return any(same(one, value) for one in found)


def distinct(found: Focus) -> Focus:
    """Without repeats, in order."""
    kept: Focus = []
    seen: set[tuple[bool, Any]] = set()
    for one in found:
        if isinstance(one, dict | list):
            if not holds(kept, one):
                kept.append(one)
            continue
        key = (isinstance(one, bool), quantities.decimal(one) if isinstance(one, float) else one)
        if key not in seen:
            seen.add(key)
            kept.append(one)
    return kept


def less(left: Focus, right: Focus, *, or_equal: bool) -> bool | None:
    """left < right, or <=. Where partial dates overlap or units do not meet, `<=` holds: nothing shows it broken."""
    if not left or not right:
        return None
    one, other = left[0], right[0]
    if isinstance(one, dict) and isinstance(other, dict):
        return _quantity_less(one, other, or_equal=or_equal)
    if isinstance(one, str) and isinstance(other, str):
        try:
            earlier, later = dates.span(one), dates.span(other)
        except ValueError:
            return one <= other if or_equal else one < other
        return earlier.low < later.high if or_equal else earlier.high <= later.low
    small, big = quantities.decimal(one), quantities.decimal(other)
    if small is None or big is None:
        return None
    return small <= big if or_equal else small < big


def _quantity_less(one: dict[str, Any], other: dict[str, Any], *, or_equal: bool) -> bool | None:
    small, big = quantities.decimal(one.get("value")), quantities.decimal(other.get("value"))
    if small is None or big is None:
        return True if or_equal else None
    if (one.get("system"), one.get("code")) != (other.get("system"), other.get("code")):
        converted = quantities.convert(big, str(other.get("code")), str(one.get("code")))
        if converted is None:
            return True if or_equal else None
        big = converted
    return small <= big if or_equal else small < big


def number(found: Focus) -> Decimal | None:
    """The one number of a collection."""
    return quantities.decimal(found[0]) if len(found) == 1 else None


def text(found: Focus) -> str | None:
    """The one text of a collection."""
    return found[0] if len(found) == 1 and isinstance(found[0], str) else None
