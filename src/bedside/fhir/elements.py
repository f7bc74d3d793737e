"""The walk through a resource that finds what fhirkit lets through, element by element, in one pass."""

from collections.abc import Callable
from functools import cache
from typing import Any

from bedside.fhir import fhirpath, links
from bedside.fhir.definitions import CodeSet, Constraint, Element, code_set, constraint, resource_types, table
from bedside.fhir.faults import ENOUGH, Fault, Faults, Whole, below, both
from bedside.fhir.fhirpath.compiler import compile_tree
from bedside.fhir.primitives import primitive

Check = Callable[[Any, Whole], Faults]
"""The check of one property's whole value, array or not."""


def resource(value: dict[str, Any], *, in_bundle: bool = False, advice: bool = False) -> Faults:
    """Every fault of a resource and of what it contains.

    in_bundle: conditional references (`Patient?identifier=…`) are allowed. advice: best-practice rules too.
    """
    whole = Whole(value, in_bundle=in_bundle, advice=advice)
    return both(_of_type(str(value.get("resourceType")))(value, whole), links.contained(value, advice=advice))


def _inner(value: Any, whole: Whole) -> Faults:
    """A resource inside another: contained, or standing on its own in a Bundle or Parameters."""
    if not isinstance(value, dict):
        return None
    kind = value.get("resourceType")
    if not isinstance(kind, str) or kind not in resource_types():
        return None  # fhirkit has refused it
    outer = whole.resource
    if outer.get("resourceType") in ("Bundle", "Parameters"):
        return resource(value, in_bundle=True, advice=whole.advice)
    whole.resource = value
    try:
        return _of_type(kind)(value, whole)
    finally:
        whole.resource = outer


class _Object:
    """The check of one object of a type: its properties, emptiness, and the invariants of the type."""

    __slots__ = ("_invariants", "_name", "_plan")

    def __init__(self, name: str) -> None:
        self._name = name
        self._plan: dict[str, Check | None] | None = None
        self._invariants: list[Callable[[Any, Whole], Faults]] = []

    def _prepare(self) -> dict[str, Check | None]:
        described = table(self._name)
        if described is None:
            raise LookupError(self._name)
        self._invariants = [_invariant(constraint(number), frozenset({self._name})) for number in described.constraints]
        plan = {key: _property(element) for key, element in described.elements.items()}
        self._plan = {"resourceType": None, **plan} if self._name in resource_types() else plan
        return self._plan

    def __call__(self, value: Any, whole: Whole) -> Faults:
        if not isinstance(value, dict):
            return None  # fhirkit has refused it
        if len(value) < 2 and (not value or "id" in value):
            return [Fault("", "structure", "an empty object; leave the element out")]
        plan = self._plan
        if plan is None:
            plan = self._prepare()
        faults: Faults = None
        for key, item in value.items():
            try:
                check = plan[key]
            except KeyError:
                found = _beside(key, item, value.get(key[1:]), whole)
            else:
                if check is None:
                    continue
                found = check(item, whole)
            if found is not None:
                faults = both(faults, below("." + key, found))
                if faults is not None and len(faults) >= ENOUGH:
                    return faults
        for holds in self._invariants:
            broken = holds(value, whole)
            if broken is not None:
                faults = both(faults, broken)
        return faults


class _Resource(_Object):
    """As _Object: a resource may consist of its type alone."""

    __slots__ = ()

    def __call__(self, value: Any, whole: Whole) -> Faults:
        return super().__call__(value, whole) if len(value) != 1 else self._bare(value, whole)

    def _bare(self, value: dict[str, Any], whole: Whole) -> Faults:
        if self._plan is None:
            self._prepare()
        faults: Faults = None
        for holds in self._invariants:
            faults = both(faults, holds(value, whole))
        return faults


class _Extension(_Object):
    """As _Object, with ext-1: a value or extensions, not both and not neither."""

    __slots__ = ()

    def __call__(self, value: Any, whole: Whole) -> Faults:
        faults = super().__call__(value, whole)
        if isinstance(value, dict) and value:
            valued = any(key.startswith(("value", "_value")) for key in value)
            if valued is ("extension" in value):
                broken = Fault("", "invariant", "ext-1: an extension has either a value or extensions of its own")
                faults = both(faults, [broken])
        return faults


@cache
def _of_type(name: str) -> _Object:
    if name == "Extension":
        return _Extension(name)
    return _Resource(name) if name in resource_types() else _Object(name)


# -- properties --------------------------------------------------------------------------------------------------


def _property(element: Element) -> Check | None:
    one = _single(element)
    if element.constraints:
        one = _with_invariants(element, one)
    if one is None:
        return None
    return _array(one) if element.many else one


def _single(element: Element) -> Check | None:
    if element.type == "Resource":
        return _inner
    if element.type == "Reference":
        return _reference(_of_type("Reference"), links.reference(element.targets))
    if element.type == "CodeableConcept" and element.binding is not None:
        return _concept(_of_type("CodeableConcept"), code_set(element.binding))
    if element.type[0].isupper():
        return _of_type(element.type)
    check = primitive(element)
    return None if check is None else lambda value, _whole: check(value)


def _array(one: Check) -> Check:
    def check(values: Any, whole: Whole) -> Faults:
        if not isinstance(values, list):
            return None  # fhirkit has refused it
        faults: Faults = None
        for number, value in enumerate(values):
            found = one(value, whole)
            if found is not None:
                faults = both(faults, below(f"[{number}]", found))
                if faults is not None and len(faults) >= ENOUGH:
                    break
        return faults

    return check


def _reference(inside: _Object, leads: links.Check) -> Check:
    def check(value: Any, whole: Whole) -> Faults:
        found = inside(value, whole)
        wrong = leads(value, whole) if isinstance(value, dict) else None
        return wrong if found is None else both(found, wrong)

    return check


def _concept(inside: _Object, allowed: CodeSet) -> Check:
    systems = allowed.systems
    fault = [Fault("", "code-invalid", f"needs a coding of {allowed.url}")]

    def check(value: Any, whole: Whole) -> Faults:
        found = inside(value, whole)
        if systems and isinstance(value, dict) and isinstance(value.get("coding", []), list):
            codings = [one for one in value.get("coding", ()) if isinstance(one, dict)]
            if not any(str(one.get("code")) in systems.get(str(one.get("system")), ()) for one in codings):
                return both(found, fault)
        return found

    return check


def _beside(key: str, extras: Any, value: Any, whole: Whole) -> Faults:
    """`_birthDate`, `_given`: the id and extensions of values, one or many; anything else is unknown here.

    value: what stands under the name itself. fhirkit has compared the lengths of two lists, and where both say null.
    """
    if key[:1] != "_":
        # fhirkit names every unknown property but this relic of older JSON.
        return [Fault("", "structure", "unknown element")] if key == "fhir_comments" else None
    if not isinstance(extras, list):
        return _extra(extras, value, whole)
    values = value if isinstance(value, list) else ()
    faults: Faults = None
    for number, one in enumerate(extras):
        found = None if one is None else _extra(one, values[number] if number < len(values) else None, whole)
        if found is not None:
            faults = both(faults, below(f"[{number}]", found))
            if faults is not None and len(faults) >= ENOUGH:
                break
    return faults


def _extra(extra: Any, value: Any, whole: Whole) -> Faults:
    """ele-1 of a primitive: a value or extensions. An id may stand alone beside a value; beside nothing it is empty."""
    if value is not None and isinstance(extra, dict) and set(extra) == {"id"}:
        return None
    return _of_type("Element")(extra, whole)


# -- invariants --------------------------------------------------------------------------------------------------


def _invariant(rule: Constraint, types: frozenset[str]) -> Check:
    run = compile_tree(rule.tree, types).run
    fault = [Fault("", "invariant", f"{rule.key}: {rule.human}", rule.severity)]
    advice = rule.severity == "warning"
    scope, truth = fhirpath.Scope, fhirpath.truth

    def check(value: Any, whole: Whole) -> Faults:
        if advice and not whole.advice:
            return None
        here = [value]
        # An invariant that yields nothing is not shown to hold (as HL7's own validator has it).
        return None if truth(run(here, here, scope(whole.resource, whole.root, value))) else fault

    return check


def _with_invariants(element: Element, one: Check | None) -> Check:
    rules = [_invariant(constraint(number), frozenset({element.type})) for number in element.constraints]

    def check(value: Any, whole: Whole) -> Faults:
        faults = one(value, whole) if one is not None else None
        for holds in rules:
            faults = both(faults, holds(value, whole))
        return faults

    return check
