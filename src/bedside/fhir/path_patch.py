"""FHIRPath Patch: a Parameters resource of operations on places (hl7.org/fhir/R4/fhirpatch.html)."""

from copy import deepcopy
from typing import Any, NamedTuple

from bedside.fhir import places
from bedside.fhir.definitions import table
from bedside.fhir.places import NoPath, Place, Search, TooCostly
from bedside.fhir.unpatchable import Unpatchable

MOST = 1000
"""Operations of one patch."""
MOST_SEARCHING = 50
"""Paths with criteria, each of which takes some milliseconds to understand."""
_PARTS: dict[str, set[str]] = {
    "add": {"type", "path", "name", "value"},
    "insert": {"type", "path", "index", "value"},
    "delete": {"type", "path"},
    "replace": {"type", "path", "value"},
    "move": {"type", "path", "source", "destination"},
}


class _Given(NamedTuple):
    """The value of an operation. suffix: its datatype as in `valueQuantity`, "" where it is made of parts. beside: id
    and extensions of a primitive."""

    suffix: str
    value: Any
    beside: Any = None
    parts: tuple[dict[str, Any], ...] = ()


class _Operation(NamedTuple):
    where: str
    type: str
    path: str
    name: str
    value: _Given | None
    numbers: dict[str, int]


def apply(resource: dict[str, Any], parameters: dict[str, Any]) -> dict[str, Any]:
    """The resource after the operations; what was handed in is not changed.

    A list element that loses its last value goes, and so does an object. Raises Unpatchable naming the operation
    (`Parameters.parameter[2]`).
    """
    made = deepcopy(resource)
    search = places.Search(made)
    for one in _operations(parameters):
        try:
            _DO[one.type](search, one)
        except NoPath as error:
            said = str(error)
            code = "too-costly" if isinstance(error, TooCostly) else "invalid"
            raise Unpatchable(one.where, f"{said[0].upper()}{said[1:]}.", code=code) from None
    return made


# -- reading the Parameters --------------------------------------------------------------------------------------


def _operations(parameters: dict[str, Any]) -> list[_Operation]:
    found = parameters.get("parameter") or []
    if len(found) > MOST:
        raise Unpatchable("Parameters.parameter", f"More than {MOST} operations.", code="too-costly", malformed=True)
    made = [_operation(f"Parameters.parameter[{n}]", one) for n, one in enumerate(found)]
    if len({one.path for one in made if not places.is_simple(one.path)}) > MOST_SEARCHING:
        what = f"More than {MOST_SEARCHING} paths that search."
        raise Unpatchable("Parameters.parameter", what, code="too-costly", malformed=True)
    return made


def _operation(where: str, raw: dict[str, Any]) -> _Operation:
    if raw.get("name") != "operation":
        raise Unpatchable(where, "Each parameter of a patch is named operation.", malformed=True)
    parts: dict[str, dict[str, Any]] = {}
    for part in raw.get("part") or ():
        name = part.get("name")
        if name in parts:
            raise Unpatchable(where, "A part stands here twice.", malformed=True)
        parts[name] = part
    type_ = _text(parts, "type")
    if type_ not in _PARTS:
        raise Unpatchable(where, f"The type is one of {', '.join(_PARTS)}.", malformed=True)
    wanted = _PARTS[type_]
    if set(parts) != wanted:
        raise Unpatchable(where, f"{type_} has exactly these parts: {', '.join(sorted(wanted))}.", malformed=True)
    path, name = _text(parts, "path"), _text(parts, "name")
    if not path or ("name" in wanted and not name):
        raise Unpatchable(where, "The path and the name are strings.", malformed=True)
    numbers: dict[str, int] = {
        one: _number(where, parts[one]) for one in ("index", "source", "destination") if one in parts
    }
    return _Operation(where, type_, path, name, _given(where, parts["value"]) if "value" in parts else None, numbers)


def _text(parts: dict[str, dict[str, Any]], name: str) -> str:
    part = parts.get(name, {})
    value = part.get("valueString", part.get("valueCode", ""))
    return value if isinstance(value, str) else ""


def _number(where: str, part: dict[str, Any]) -> int:
    value = part.get("valueInteger", part.get("valueUnsignedInt", part.get("valuePositiveInt")))
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 31:
        raise Unpatchable(where, "A place in a list is an integer from 0.", malformed=True)
    return value


def _given(where: str, part: dict[str, Any]) -> _Given:
    for key, value in part.items():
        if key.startswith(("value", "_value")):
            suffix = key.removeprefix("_")[5:]
            plain = None if key.startswith("_") else value
            return _Given(suffix, plain, part.get(f"_value{suffix}"))
    if "resource" in part:
        return _Given("Resource", part["resource"])
    inner = part.get("part")
    if not inner:
        raise Unpatchable(where, "The value has a value or parts.", malformed=True)
    return _Given("", None, None, tuple(inner))


# -- carrying out ------------------------------------------------------------------------------------------------


def _add(search: Search, one: _Operation) -> None:
    target = _only(places.found(search, one.path))
    owner = _object_of(target)
    key, many, value, beside = _made(one, target, one.name)
    if many:
        _insert(owner, key, len(_list(owner, key)), value, beside)
        return
    element = places.element_of(target, key)
    taken = {key}
    if element is not None and element.choice:
        known = table(target.type)
        taken = {k for k, e in known.elements.items() if e.choice == element.choice} if known else taken
    if any(k in owner or "_" + k in owner for k in taken):
        raise NoPath("there is a value already; replace it")
    _set(owner, key, value, beside)


def _insert_at(search: Search, one: _Operation) -> None:
    target, element = places.list_of(search, one.path)
    owner = _object_of(target)
    key, _, value, beside = _made(one, target, element.name)
    index = one.numbers["index"]
    if index > len(_list(owner, key)):
        raise NoPath("the list is shorter than the index")
    _insert(owner, key, index, value, beside)


def _delete(search: Search, one: _Operation) -> None:
    found = places.found(search, one.path)
    if len(found) > 1:
        raise NoPath("the path leads to several places; delete them one by one")
    if found:  # to delete what is not there is no error
        if found[0].owner is None:
            raise NoPath("the resource itself is not deleted by a patch")
        _remove(found[0])


def _replace(search: Search, one: _Operation) -> None:
    target = _only(places.found(search, one.path))
    owner, within = target.owner, target.within
    if owner is None or within is None:
        raise NoPath("the resource itself is not replaced by a patch")
    element = places.element_of(within, target.key)
    name = (element.choice or element.name) if element is not None else target.key
    key, _, value, beside = _made(one, within, name)
    if target.position is not None:
        _list(owner, key)[target.position] = value
        _beside_list(owner, key, target.position, beside)
        return
    for old in {target.key, f"_{target.key}"}:
        owner.pop(old, None)
    _set(owner, key, value, beside)


def _move(search: Search, one: _Operation) -> None:
    target, element = places.list_of(search, one.path)
    owner = _object_of(target)
    standing = _list(owner, element.name)
    source, destination = one.numbers["source"], one.numbers["destination"]
    if source >= len(standing) or destination >= len(standing):
        raise NoPath("the list is shorter than that")
    standing.insert(destination, standing.pop(source))
    extras = owner.get("_" + element.name)
    if isinstance(extras, list):
        extras += [None] * (len(standing) - len(extras))
        extras.insert(destination, extras.pop(source))


_DO = {"add": _add, "insert": _insert_at, "delete": _delete, "replace": _replace, "move": _move}


def _only(found: list[Place]) -> Place:
    if len(found) != 1:
        raise NoPath("the path leads to several places" if found else "the path leads to nothing")
    return found[0]


def _object_of(target: Place) -> dict[str, Any]:
    if not isinstance(target.value, dict):
        raise NoPath("nothing can be added to a primitive value")
    return target.value


def _made(one: _Operation, target: Place, name: str) -> tuple[str, bool, Any, Any]:
    """The JSON key for a name below a place, whether it is a list, and the value with what stands beside it."""
    given = one.value
    if given is None:
        raise Unpatchable(one.where, "There is no value.", malformed=True)
    return _element(target, name, given)


def _element(target: Place, name: str, given: _Given) -> tuple[str, bool, Any, Any]:
    element = places.element_of(target, name, given.suffix)
    if element is None:
        if places.is_resource(target.type) and name == target.type:
            raise NoPath("the path leads to the resource itself")
        raise NoPath("there is no element of this name and datatype")
    if given.parts:
        return element.name, element.many, _from_parts(Place(None, element.type), given.parts), None
    return element.name, element.many, given.value, given.beside


def _from_parts(place: Place, parts: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """An object of a type that has no name of its own (`Patient.contact`), from its named parts."""
    made: dict[str, Any] = {}
    for part in parts:
        name = part.get("name")
        key, many, value, beside = _element(place, str(name), _given(str(name), part))
        if many:
            _insert(made, key, len(_list(made, key)), value, beside)
        elif key in made:
            raise NoPath("a part stands here twice")
        else:
            _set(made, key, value, beside)
    return made


def _list(owner: dict[str, Any], key: str) -> list[Any]:
    standing = owner.get(key, [])
    if not isinstance(standing, list):
        raise NoPath("this is no list")
    return standing


def _set(owner: dict[str, Any], key: str, value: Any, beside: Any) -> None:
    if value is not None:
        owner[key] = value
    if beside is not None:
        owner["_" + key] = beside


def _insert(owner: dict[str, Any], key: str, index: int, value: Any, beside: Any) -> None:
    standing = _list(owner, key)
    extras = owner.get("_" + key)
    if isinstance(extras, list) or beside is not None:
        extras = [*(extras or ()), *[None] * (len(standing) - len(extras or ()))]
        extras.insert(index, beside)
        owner["_" + key] = extras
    standing.insert(index, value)
    owner[key] = standing


def _beside_list(owner: dict[str, Any], key: str, position: int, beside: Any) -> None:
    extras = owner.get("_" + key)
    if not isinstance(extras, list):
        if beside is None:
            return
        extras = [None] * len(owner[key])
    extras += [None] * (len(owner[key]) - len(extras))
    extras[position] = beside
    _keep_extras(owner, key, extras)


def _keep_extras(owner: dict[str, Any], key: str, extras: list[Any]) -> None:
    if any(one is not None for one in extras):
        owner["_" + key] = extras
    else:
        owner.pop("_" + key, None)


def _remove(target: Place) -> None:
    """Take a value out, and every object and list that is empty without it."""
    owner, key = target.owner, target.key
    if owner is None:
        return
    if target.position is None:
        owner.pop(key, None)
        owner.pop("_" + key, None)
    else:
        standing = _list(owner, key)
        if target.position < len(standing):
            del standing[target.position]
        extras = owner.get("_" + key)
        if isinstance(extras, list) and target.position < len(extras):
            del extras[target.position]
            _keep_extras(owner, key, extras)
        if not standing:
            owner.pop(key, None)
    within = target.within
    if owner or within is None or within.owner is None:
        return
    if owner is within.value:
        _remove(within)
    else:  # the object beside a primitive
        beside = within.owner.get("_" + within.key)
        if isinstance(beside, list) and within.position is not None:
            beside[within.position] = None
            _keep_extras(within.owner, within.key, beside)
        else:
            within.owner.pop("_" + within.key, None)
