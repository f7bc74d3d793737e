"""Whether a resource is well made: FHIR R4's structure, code sets, calendar, references, invariants and safety.

fhirkit checks names, datatypes, cardinalities and the shapes of values; elements.py what it lets through.
"""

import re
from decimal import Decimal
from typing import Any

import fhirkit
import msgspec

from bedside.fhir import elements, faults
from bedside.fhir.issues import Issue

_decoder = msgspec.json.Decoder(float_hook=Decimal)
_encoder = msgspec.json.Encoder(decimal_format="number")
_VALUE = re.compile(r"^(\".*\"|-?[0-9][0-9.eE+-]*) (?=is )", re.DOTALL)
_DEEP = 100
_LARGE = 64 * 1024
_MOST_PROPERTIES = 1000


class Malformed(ValueError):
    """Bytes that are not the JSON of an object. issues: what and where."""

    def __init__(self, what: str) -> None:
        super().__init__(what)
        self.issues = [Issue("fatal", "structure", "", what)]


def read(raw: bytes) -> dict[str, Any]:
    """The object in JSON bytes, decimals with every digit kept (as Decimal). Raises Malformed."""
    try:
        found = _decoder.decode(raw)
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    except ArithmeticError:
        raise Malformed("the body holds a number beyond every measure") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Malformed("the body is not a JSON object")
    return found


def write(resource: dict[str, Any]) -> bytes:
    """The JSON of a resource, decimals as they were written."""
    return _encoder.encode(resource)


def validate(resource: dict[str, Any] | bytes, *, warnings: bool = False) -> list[Issue]:
    """The errors of a resource, given as FHIR JSON in a dict or as the raw bytes; empty when it may be kept.

    All of them up to some hundred; what is wrong in more places is not looked at to its end.

    Bytes are also checked for UTF-8, NUL, duplicate keys and nesting. warnings: also advice (best-practice rules).
    """
    if isinstance(resource, bytes):
        try:
            return accept(resource, warnings=warnings)[1]
        except Malformed as malformed:
            return malformed.issues
    try:
        raw = write(resource)
    except (TypeError, ValueError, RecursionError, msgspec.EncodeError):
        return Malformed("the resource cannot be written as JSON").issues
    try:
        return _issues(resource, raw, warnings=warnings)
    except Malformed as malformed:
        return malformed.issues


def accept(raw: bytes, *, warnings: bool = False) -> tuple[dict[str, Any], list[Issue]]:
    """Read and validate in one go: the resource, and its issues as of `validate`. Raises Malformed."""
    resource = read(raw)
    return resource, _issues(resource, raw, warnings=warnings)


def judge(resource: dict[str, Any], raw: bytes) -> list[Issue]:
    """The errors of what `read` made of the raw bytes, duplicate keys and the like included."""
    try:
        return _issues(resource, raw, warnings=False)
    except Malformed as malformed:
        return malformed.issues


def _issues(resource: dict[str, Any], raw: bytes, *, warnings: bool) -> list[Issue]:
    if len(raw) > _LARGE:
        _refuse_swollen(resource)
    try:
        found = fhirkit.validate(raw)
    except fhirkit.ParseError as error:
        raise Malformed(f"the body is not JSON: {error}") from None
    kind = resource.get("resourceType")
    issues = _structural(found[: faults.ENOUGH], warnings=warnings) if found else []
    if not isinstance(kind, str) or kind not in _KNOWN:
        return issues
    further = elements.resource(resource, advice=warnings)
    if further is not None:
        issues += faults.issues(kind, further)
    return issues


def _refuse_swollen(resource: dict[str, Any]) -> None:
    """fhirkit's time grows with the square of an object's unknown properties: 40,000 take it a second.

    No FHIR type has two hundred. Raises Malformed.
    """
    waiting: list[Any] = [resource]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            if len(one) > _MOST_PROPERTIES:
                raise Malformed(f"an object has more than {_MOST_PROPERTIES} properties")
            waiting += [inner for inner in one.values() if isinstance(inner, dict | list)]
        elif isinstance(one, list):
            waiting += [inner for inner in one if isinstance(inner, dict | list)]


_KNOWN = frozenset(fhirkit.RESOURCE_TYPES)


def _structural(found: list[fhirkit.Issue], *, warnings: bool) -> list[Issue]:
    """fhirkit's findings in our words: without the refused values, and without its second voice on a repeated key."""
    doubled = {one.path.removesuffix("[x]") for one in found if "more than once" in one.message or "[x]" in one.path}
    return [
        Issue(
            "error" if one.severity == "error" else "warning",
            _code(one.message),
            one.path,
            _VALUE.sub("", one.message),
        )
        for one in found
        if (warnings or one.severity == "error")
        and not (one.message == "unknown element" and any(one.path.startswith(path) for path in doubled))
    ]


def _code(message: str) -> str:
    if "required element missing" in message:
        return "required"
    return "value" if _VALUE.match(message) else "structure"
