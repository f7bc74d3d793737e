"""What fhirkit lets through in single values: impossible days, ids, codes outside their set, control characters."""

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bedside.fhir import dates, narrative, references
from bedside.fhir.definitions import CodeSet, Element, code_set
from bedside.fhir.faults import Fault, Faults

Check = Callable[[Any], Faults]

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_MIME = re.compile(r"[A-Za-z0-9!#$&^_.+\-]+/[A-Za-z0-9!#$&^_.+\-]+(\s*;.*)?", re.DOTALL)
_SHORT_MIME = re.compile(r"[A-Za-z0-9.+\-]+")
_MIME_SET = "http://hl7.org/fhir/ValueSet/mimetypes"
_DAY_TYPES = frozenset({"date", "dateTime", "instant"})
_LARGEST_EXPONENT = 300
_MOST_DIGITS = 100
_LONGEST = 1024 * 1024


def primitive(element: Element) -> Check | None:
    """The check for a single value of an element; None where fhirkit's is enough."""
    kind = element.type
    if element.binding is not None and kind == "code":
        return _coded(code_set(element.binding), element.name)
    if kind in _DAY_TYPES:
        return _day
    return _CHECKS.get(kind, _text)


def _day(value: Any) -> Faults:
    # Days after the 28th and the year 0 are all that fhirkit's own pattern cannot judge.
    if isinstance(value, str) and (value[8:10] > "28" or value.startswith("0000")):
        day = value[:10]
        if len(day) in (4, 7, 10) and not dates.is_date(day):
            return [Fault("", "value", "not a day of the calendar")]
    return None


def _text(value: Any) -> Faults:
    if isinstance(value, str):
        if not value.isprintable() and _CONTROL.search(value):
            return [Fault("", "value", "a control character")]
        if len(value) > _LONGEST:
            return [Fault("", "too-long", "more than 1,048,576 characters")]
    return None


def _uri(value: Any) -> Faults:
    if isinstance(value, str) and (" " in value or not value.isprintable()):  # fhirkit looks at most of them, not all
        return [Fault("", "value", "a URI has no spaces")]
    return None


def _id(value: Any) -> Faults:
    if isinstance(value, str) and not references.is_id(value):
        return [Fault("", "value", "an id is 1 to 64 letters, digits, hyphens and dots")]
    return None


def _decimal(value: Any) -> Faults:
    if isinstance(value, Decimal):
        if abs(value.adjusted()) > _LARGEST_EXPONENT:
            return [Fault("", "value", "a number beyond every measure")]
        if len(value.as_tuple().digits) > _MOST_DIGITS:
            return [Fault("", "value", f"a number of more than {_MOST_DIGITS} digits")]
    return None


def _xhtml(value: Any) -> Faults:
    if isinstance(value, str) and (wrong := narrative.fault(value)) is not None:
        return [Fault("", "security", wrong)]
    return None


def _coded(allowed: CodeSet, name: str) -> Check:
    if allowed.url == _MIME_SET:
        shape = _SHORT_MIME if name in ("format", "patchFormat") else None
        return lambda value: _mime(value, shape)
    codes = allowed.codes
    fault = [Fault("", "code-invalid", f"not a code of {allowed.url}")]

    def check(value: Any) -> Faults:
        return fault if codes and isinstance(value, str) and value not in codes else None

    return check


def _mime(value: Any, short: re.Pattern[str] | None) -> Faults:
    if not isinstance(value, str) or _MIME.fullmatch(value) or (short and short.fullmatch(value)):
        return None
    return [Fault("", "code-invalid", "not a media type such as text/plain")]


_CHECKS: dict[str, Check | None] = {
    "id": _id,
    "decimal": _decimal,
    "xhtml": _xhtml,
    "uri": _uri,
    "boolean": None,
    "integer": None,
    "positiveInt": None,
    "unsignedInt": None,
    "time": None,
    "base64Binary": None,
    "uuid": None,
    "oid": None,
    "code": None,
}
