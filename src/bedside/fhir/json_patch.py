"""JSON Patch (RFC 6902) on a resource, within bounds: jsonpatch does the work, decimals stay as they were written."""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import jsonpatch
import jsonpointer

from bedside.fhir.structure import write
from bedside.fhir.unpatchable import Unpatchable

MOST = 1000
"""Steps of one patch."""
MOST_COPIED = 4 * 1024 * 1024
"""Bytes that the `copy` steps of one patch may add: copying a list into itself doubles it each time."""


_NOTHING = object()


def read(raw: bytes) -> list[dict[str, Any]]:
    """The steps of a patch in JSON bytes. Raises Unpatchable for what is none, and for a key said twice."""
    try:
        found = json.loads(raw.decode(), object_pairs_hook=_once, parse_float=Decimal, parse_constant=_no_number)
    except UnicodeDecodeError:
        raise Unpatchable("", "The patch is not UTF-8.", code="structure", malformed=True) from None
    except RecursionError:
        raise Unpatchable("", "The patch is nested too deeply.", code="structure", malformed=True) from None
    except (ValueError, InvalidOperation) as error:
        if isinstance(error, Unpatchable):
            raise
        raise Unpatchable("", "The patch is not JSON.", code="structure", malformed=True) from None
    if not isinstance(found, list):
        raise Unpatchable("", "A JSON Patch is an array of steps.", code="structure", malformed=True)
    if len(found) > MOST:
        raise Unpatchable("", f"More than {MOST} steps.", code="too-costly", malformed=True)
    for n, step in enumerate(found):
        if not isinstance(step, dict):
            raise Unpatchable(f"[{n}]", "Each step is an object.", code="structure", malformed=True)
    return found


def _same(one: Any, other: Any) -> bool:
    """As RFC 6902 compares: true is not 1, and the order of an object's members says nothing."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) is isinstance(other, bool) and bool(one == other)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise Unpatchable("", "The patch says a key twice.", code="structure", malformed=True)
    return made


def _no_number(_: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON")


def apply(resource: dict[str, Any], steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The resource after the steps; what was handed in is not changed. Raises Unpatchable naming the step (`[2]`)."""
    made: dict[str, Any] = resource
    copied, own = 0, False
    for n, step in enumerate(steps):
        where = f"[{n}]"
        try:
            if step.get("op") == "copy":
                copied += len(write({"": jsonpointer.resolve_pointer(made, str(step.get("from", "")))}))
                if copied > MOST_COPIED:
                    raise Unpatchable(where, "The patch copies too much.", code="too-costly")
            if step.get("op") == "test" and "value" in step and isinstance(step.get("path"), str):
                if not _same(jsonpointer.resolve_pointer(made, step["path"], _NOTHING), step["value"]):
                    raise jsonpatch.JsonPatchTestFailed  # its own words would hold both values, however long
                continue
            # The first change copies the resource; those after it work on the copy.
            made, own = jsonpatch.JsonPatch([step]).apply(made, in_place=own), True
        except jsonpatch.JsonPatchTestFailed:
            raise Unpatchable(where, "The test of this step does not hold.", code="business-rule") from None
        except jsonpatch.JsonPatchConflict:
            raise Unpatchable(where, "There is nothing at the path of this step.", code="not-found") from None
        except (jsonpatch.JsonPatchException, jsonpointer.JsonPointerException) as error:
            missing = isinstance(error, jsonpointer.JsonPointerException)
            what = "The path of this step leads nowhere." if missing else "This is no step of JSON Patch."
            raise Unpatchable(where, what, malformed=not missing) from None
        except (TypeError, ValueError, AttributeError, KeyError, IndexError, RecursionError) as error:
            if isinstance(error, Unpatchable):
                raise
            raise Unpatchable(where, "This step cannot be carried out.") from None
        if not isinstance(made, dict):
            raise Unpatchable(where, "A resource stays an object.")
    return made
