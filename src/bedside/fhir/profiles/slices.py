"""Which slice of an element a value belongs to, by the discriminators of the slicing."""

from collections.abc import Callable, Mapping
from typing import Any

from bedside.fhir.profiles import values
from bedside.fhir.profiles.definition import Discriminator, Node, Slicing
from bedside.fhir.terminology import Codes

Matches = Callable[[Any, str], bool]
"""From a value and the JSON property that it stands in."""


def matcher(one: Node, slicing: Slicing | None, codes: Mapping[str, Codes | None]) -> Matches | None:
    """What tells the values of a slice; None where that is not known here."""
    discriminators = slicing.discriminators if slicing is not None else ()
    if not discriminators and one.name.endswith("[x]"):
        discriminators = (Discriminator("type", "$this"),)
    if not discriminators and one.name in ("extension", "modifierExtension"):
        discriminators = (Discriminator("value", "url"),)
    parts = [_part(one, each, codes) for each in discriminators]
    if not parts or any(part is None for part in parts):
        return None
    return lambda value, key: all(part(value, key) for part in parts if part is not None)


def _part(one: Node, each: Discriminator, codes: Mapping[str, Codes | None]) -> Matches | None:
    steps = [] if each.path == "$this" else each.path.split(".")
    if any("(" in step for step in steps):
        return None
    if each.type == "type" and not steps:
        types = one.types or _of_name(one)
        return lambda _value, key: any(key == values.choice(one.name, type_) for type_ in types)
    wanted = _at(one, steps)
    if each.type == "exists" and wanted is not None:
        present = wanted.least > 0
        return lambda value, _key: bool(values.along(value, steps)) is present
    if each.type not in ("value", "pattern"):
        return None
    if steps == ["url"] and one.profiles:
        urls = set(one.profiles)
        return lambda value, _key: isinstance(value, dict) and value.get("url") in urls
    if wanted is None:
        return None
    test = _test(wanted, codes)
    return None if test is None else lambda value, _key: any(test(found) for found in values.along(value, steps))


def _of_name(one: Node) -> tuple[str, ...]:
    stem = one.name.removesuffix("[x]")
    type_ = one.slice.removeprefix(stem)
    return (type_, type_[:1].lower() + type_[1:])


def _at(node: Node, steps: list[str]) -> Node | None:
    for step in steps:
        found = node.children.get(step)
        if found is None:
            return None
        node = found
    return node


def _test(wanted: Node, codes: Mapping[str, Codes | None]) -> Callable[[Any], bool] | None:
    if wanted.fixed is not None:
        return lambda value: values.same(value, wanted.fixed)
    if wanted.pattern is not None:
        return lambda value: values.contains(value, wanted.pattern)
    if wanted.binding is not None and wanted.binding.strength == "required":
        allowed = codes.get(wanted.binding.value_set)
        return None if allowed is None else lambda value: values.coded(value, allowed)
    tests = [(name, test) for name, one in wanted.children.items() if (test := _test(one, codes)) is not None]
    if not tests:
        return None
    return lambda value: all(any(test(found) for found in values.along(value, [name])) for name, test in tests)
