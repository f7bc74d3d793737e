"""One value of a search parameter, by the parameter's type (hl7.org/fhir/R4/search.html#ptypes).

Every function raises ValueError with a text for the caller that does not repeat the value: it may be a patient's.
"""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import cast

from bedside.fhir import dates, quantities, references
from bedside.fhir.definitions import SearchParameter
from bedside.fhir.query import (
    CompositeValue,
    DateValue,
    NumberValue,
    Prefix,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    UriValue,
    Value,
)
from bedside.fhir.texts import fold

_PREFIXED = re.compile(r"(eq|ne|gt|lt|ge|le|sa|eb|ap)?(.*)", re.DOTALL)
_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?([eE][+-]?\d{1,3})?", re.ASCII)
_ESCAPED = re.compile(r"\\([\\,|$])")


def split(text: str, separator: str) -> list[str]:
    r"""Cut at a separator that no backslash escapes; escapes stay for the next cut."""
    if "\\" not in text:
        return text.split(separator)
    parts, current, skip = [], [], False
    for letter in text:
        if skip or letter != separator:
            current.append(letter)
        else:
            parts.append("".join(current))
            current = []
        skip = letter == "\\" and not skip
    return [*parts, "".join(current)]


def plain(text: str) -> str:
    """Without escapes."""
    return _ESCAPED.sub(r"\1", text) if "\\" in text else text


def value(parameter: SearchParameter, modifier: str | None, text: str, bases: tuple[str, ...]) -> Value:
    """The typed value that text means under a parameter and modifier."""
    if modifier == "identifier":
        return ReferenceValue(None, None, None, _token(text))
    if parameter.type == "reference":
        return _reference(parameter, modifier, plain(text), bases)
    if parameter.type == "composite":
        return _composite(parameter, text, bases)
    if modifier == "of-type":
        return _of_type(text)
    if parameter.type == "token" and modifier == "text":
        return _string_value(text)
    if parameter.type == "token" and modifier in ("in", "not-in"):
        return _uri_value(text)
    return _VALUES[parameter.type](text)


def _prefixed(text: str) -> tuple[Prefix, str]:
    match = cast("re.Match[str]", _PREFIXED.fullmatch(text))  # it takes any text
    return cast("Prefix", match[1] or "eq"), match[2]


def _number(text: str) -> tuple[Decimal, Decimal, Decimal]:
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("not a number")
    number = Decimal(text)
    return number, *quantities.precision(number)


def _number_value(text: str) -> Value:
    prefix, rest = _prefixed(text)
    return NumberValue(prefix, *_number(rest))


def _quantity_value(text: str) -> Value:
    prefix, rest = _prefixed(text)
    parts = [plain(part) for part in split(rest, "|")]
    if len(parts) not in (1, 3):
        raise ValueError("a quantity is written number|system|code, number||code or number")
    number, low, high = _number(parts[0])
    system, code = (parts[1] or None, parts[2] or None) if len(parts) == 3 else (None, None)
    if code is None or system not in (None, quantities.UCUM):
        return QuantityValue(prefix, number, low, high, system, code)
    at_low, at_high = quantities.canonical(low, code), quantities.canonical(high, code)
    if at_low is None or at_high is None:
        return QuantityValue(prefix, number, low, high, system, code)
    return QuantityValue(prefix, number, low, high, system, code, at_low.value, at_high.value, at_low.unit)


def _date_value(text: str) -> Value:
    prefix, rest = _prefixed(text)
    try:
        span = dates.span(rest.replace(" ", "+"))  # an unescaped + of a zone arrives as a space
    except ValueError:
        raise ValueError("not a date such as 2026, 2026-11, 2026-11-21 or 2026-11-21T10:30:00Z") from None
    return DateValue(prefix, *span)


def _token(text: str) -> TokenValue:
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) > 2 or not any(parts):
        raise ValueError("a token is written code, system|code, |code or system|")
    if len(parts) == 1:
        return TokenValue(None, parts[0])
    return TokenValue(parts[0], parts[1] or None)


def _of_type(text: str) -> Value:
    parts = [plain(part) for part in split(text, "|")]
    if len(parts) != 3 or not all(parts[1:]):
        raise ValueError("with :of-type a value is written system|type|value")
    return TokenValue(None, parts[2], (parts[0] or None, parts[1]))


def _string_value(text: str) -> Value:
    shown = plain(text)
    return StringValue(shown, fold(shown))


def _uri_value(text: str) -> Value:
    return UriValue(plain(text))


def _reference(parameter: SearchParameter, type_: str | None, text: str, bases: tuple[str, ...]) -> Value:
    if type_ not in (None, "above", "below"):
        if references.is_id(text):
            return ReferenceValue(type_, text)
        if not text.startswith(f"{type_}/"):
            raise ValueError(f"with :{type_} a value is the id of a {type_}")
    if references.is_id(text):
        return ReferenceValue(parameter.targets[0] if len(parameter.targets) == 1 else None, text)
    found = references.parse(text, bases=bases)
    if found.id is not None and found.server is None:
        return ReferenceValue(found.type, found.id)
    if "/" not in text and ":" not in text:
        raise ValueError("a reference is written id, Type/id or as a URL")
    return ReferenceValue(found.type, None, text.partition("/_history/")[0])


def _composite(parameter: SearchParameter, text: str, bases: tuple[str, ...]) -> Value:
    parts = split(text, "$")
    if len(parts) != len(parameter.components):
        raise ValueError("a composite is written " + "$".join(component.code for component in parameter.components))
    return CompositeValue(
        tuple(
            value(SearchParameter(component.code, component.type, "", ""), None, part, bases)
            for component, part in zip(parameter.components, parts, strict=True)
        )
    )


_VALUES: dict[str, Callable[[str], Value]] = {
    "number": _number_value,
    "quantity": _quantity_value,
    "date": _date_value,
    "token": _token,
    "string": _string_value,
    "uri": _uri_value,
}
