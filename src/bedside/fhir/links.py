"""References inside a resource: their shape, the types they may lead to, and whether `#x` leads anywhere."""

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from bedside.fhir import references
from bedside.fhir.definitions import resource_types
from bedside.fhir.faults import ENOUGH, Fault, Faults, Whole

Check = Callable[[dict[str, Any], Whole], Faults]

_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?[^\s]+")
_URN = re.compile(r"urn:(uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|oid:[0-2](\.(0|[1-9]\d*))+)")


def reference(targets: tuple[str, ...]) -> Check:
    """The check of a Reference element that may lead to the targets (() for any type)."""
    allowed = frozenset(targets)
    expected = " or ".join(targets)

    def check(value: dict[str, Any], whole: Whole) -> Faults:
        url = value.get("reference")
        stated = value.get("type")
        if url is None:
            type_ = None
        elif not isinstance(url, str):
            return None  # fhirkit has refused it
        else:
            try:
                type_ = _type_of(url, whole)
            except ValueError as error:
                return [Fault(".reference", "value", str(error))]
        if isinstance(stated, str):
            if type_ is not None and stated != type_ and stated in resource_types():
                return [Fault(".type", "value", "the type stated is not the type referred to")]
            if type_ is None and stated in resource_types():
                type_ = stated
        if allowed and type_ is not None and type_ not in allowed and type_ in resource_types():
            return [Fault("", "value", f"leads to a {type_}; only {expected} is allowed here")]
        return None

    return check


def _type_of(url: str, whole: Whole) -> str | None:
    """The type a reference leads to, None if it does not tell. Raises ValueError."""
    found = references.parse(url)
    if found.fragment is not None:
        if found.fragment and found.fragment not in whole.contained:
            raise ValueError("leads to no contained resource")
        return whole.contained.get(found.fragment) if found.fragment else str(whole.root.get("resourceType"))
    if found.type is not None:
        if found.server is None and found.type not in resource_types():
            raise ValueError("names a resource type that R4 does not have")
        return found.type
    if url.startswith("urn:"):
        if _URN.fullmatch(url) is None:
            raise ValueError("not a well-formed urn:uuid or urn:oid")
        return None
    if ":" in url.partition("/")[0]:
        return None  # an absolute URL that need not be a RESTful one
    if whole.in_bundle and (match := _CONDITIONAL.fullmatch(url)) and match[1] in resource_types():
        return match[1]
    raise ValueError("a relative reference is written Type/id")


def contained(resource: dict[str, Any], *, advice: bool) -> Faults:
    """The rules for contained resources (dom-2 to dom-5), and with advice dom-6."""
    faults: list[Fault] = []
    if advice and not resource.get("text"):
        faults.append(Fault("", "invariant", "dom-6: a resource should have a narrative", "warning"))
    held = resource.get("contained")
    if not isinstance(held, list):
        return faults or None
    pointers: set[str] = set()
    _pointers({key: value for key, value in resource.items() if key != "contained"}, pointers)
    inner = [set[str]() for _ in held]
    for one, own in zip(held, inner, strict=True):
        _pointers(one, own)
    held_pointers = Counter(pointer for own in inner for pointer in own)
    seen: set[str] = set()
    for number, one in enumerate(held):
        if isinstance(one, dict):
            own = inner[number]
            pointer = f"#{one.get('id')}"
            referred = pointer in pointers or held_pointers[pointer] > (pointer in own) or "#" in own
            faults += [
                Fault(f".contained[{number}]{path}", "invariant", what)
                for path, what in _of_contained(one, seen, referred=referred)
            ]
            if len(faults) >= ENOUGH:
                break
    return faults or None


def _of_contained(one: dict[str, Any], seen: set[str], *, referred: bool) -> list[tuple[str, str]]:
    found = []
    if "contained" in one:
        found.append((".contained", "dom-2: a contained resource holds no other"))
    meta = one.get("meta")
    if isinstance(meta, dict):
        if "versionId" in meta or "lastUpdated" in meta:
            found.append((".meta", "dom-4: a contained resource has no version of its own"))
        if "security" in meta:
            found.append((".meta.security", "dom-5: a contained resource has no security label"))
    name = one.get("id")
    if not isinstance(name, str):
        found.append(("", "dom-3: a contained resource has an id by which it is referred to"))
    else:
        if name in seen:
            found.append((".id", "two contained resources have the same id"))
        seen.add(name)
        if not referred:
            found.append(("", "dom-3: a contained resource is referred to from the resource that holds it"))
    return found


def _pointers(value: Any, found: set[str]) -> None:
    """Every `#…` that a resource refers to, in references and canonicals alike."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and one.startswith("#"):
            found.add(one)
