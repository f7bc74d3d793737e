"""The parts of compiled FHIRPath: members, types, operators, each a Python function on lists."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from bedside.fhir.definitions import resource_types, table
from bedside.fhir.fhirpath.values import FALSE, NONE, TRUE, Focus, distinct, equal, holds, less, number, said, truth

Tree = list[Any]
UCUM = "http://unitsofmeasure.org"


class Scope(NamedTuple):
    """What `%resource`, `%rootResource` and `%context` mean during one evaluation."""

    resource: Any
    root: Any
    context: Any


Run = Callable[[Focus, Focus, Scope], Focus]
"""(focus, $this, scope) -> result. No list handed in or out is ever changed."""


class Unsupported(ValueError):
    """The expression needs the general evaluator."""


class Code(NamedTuple):
    """A compiled part. types: the FHIR types it can yield, None when unknown. keys: of a choice, type to JSON key."""

    run: Run
    types: frozenset[str] | None = None
    keys: tuple[tuple[str, str], ...] = ()
    source: Run | None = None  # of a choice: what leads to its owner


def at_focus(focus: Focus, _this: Focus, _scope: Scope) -> Focus:
    return focus


def constant(value: Any) -> Code:
    found = [value]
    return Code(lambda _focus, _this, _scope: found)


def variable(name: str, types: frozenset[str] | None) -> Code:
    if name == "resource":
        return Code(lambda _focus, _this, scope: [scope.resource])
    if name == "rootResource":
        return Code(lambda _focus, _this, scope: [scope.root])
    if name == "context":
        return Code(lambda _focus, _this, scope: [scope.context], types)
    named = {"ucum": UCUM, "sct": "http://snomed.info/sct", "loinc": "http://loinc.org"}
    if name in named:
        return constant(named[name])
    raise Unsupported(f"%{name}")


# -- members -----------------------------------------------------------------------------------------------------


def member(name: str, types: frozenset[str] | None) -> Code:
    if types is None or not all(map(table, types)):
        return Code(_any_member(name))
    if name in types or name in ("Resource", "DomainResource"):
        return Code(at_focus, types)  # an expression may begin with the type's own name
    found: dict[str, str] = {}
    choice = False
    for type_ in sorted(types):
        properties = table(type_)
        for key, element in properties.elements.items() if properties else ():
            if name in (key, element.choice):
                found[key] = element.type
                choice = choice or element.choice == name
    if not found:
        return Code(lambda _focus, _this, _scope: NONE, frozenset())
    kinds = frozenset(found.values())
    known = None if "Resource" in kinds else kinds
    if not choice:
        return Code(_key_member(name), known)
    keys = tuple((kind, key) for key, kind in found.items())
    return Code(_choice_member(tuple(found)), known, keys, at_focus)


def _take(out: Focus, owner: dict[str, Any], key: str) -> None:
    value = owner.get(key)
    beside = owner.get("_" + key)
    if value is None:
        if beside is not None:
            out.append(beside)  # an element without value, but with extensions
    elif isinstance(value, list):
        if not isinstance(beside, list):
            out += value
        else:
            out += [extra if one is None else one for one, extra in zip(value, beside, strict=False)]
    else:
        out.append(value)


def _key_member(key: str) -> Run:
    def run(focus: Focus, _this: Focus, _scope: Scope) -> Focus:
        out: Focus = []
        for owner in focus:
            if isinstance(owner, dict):
                _take(out, owner, key)
        return out

    return run


def _choice_member(keys: tuple[str, ...]) -> Run:
    beside = frozenset("_" + key for key in keys)
    wanted = frozenset(keys)

    def run(focus: Focus, _this: Focus, _scope: Scope) -> Focus:
        out: Focus = []
        for owner in focus:
            if isinstance(owner, dict):
                for key in owner:
                    if key in wanted:
                        _take(out, owner, key)
                    elif key in beside and key[1:] not in owner:
                        out.append(owner[key])
        return out

    return run


def _any_member(name: str) -> Run:
    plain = _key_member(name)

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        found = plain(focus, this, scope)
        if found:
            return found
        out: Focus = []
        for owner in focus:
            if isinstance(owner, dict):
                if owner.get("resourceType") == name:
                    out.append(owner)
                for key in owner:
                    if key.startswith(name) and key[len(name) : len(name) + 1].isupper():
                        _take(out, owner, key)
        return out

    return run


# -- types -------------------------------------------------------------------------------------------------------

_SYSTEM = {"Boolean": "boolean", "String": "string", "Integer": "integer", "Decimal": "decimal"}


def _plain_name(kind: str) -> str:
    name = kind.removeprefix("FHIR.").removeprefix("System.").strip("`")
    return _SYSTEM.get(name, name)


def of_type(left: Code, kind: str) -> Code:
    """Only what is of a type."""
    name = _plain_name(kind)
    if left.keys and left.source is not None:
        keys = tuple(key for of, key in left.keys if of == name)
        before, pick = left.source, _choice_member(keys)
        return Code(lambda focus, this, scope: pick(before(focus, this, scope), this, scope), frozenset({name}))
    if left.types is not None and name not in resource_types():
        if name not in left.types:
            return Code(lambda _focus, _this, _scope: NONE, frozenset())
        if left.types == {name}:
            return left
    if name in resource_types():
        before = left.run

        def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
            return [
                one for one in before(focus, this, scope) if isinstance(one, dict) and one.get("resourceType") == name
            ]

        return Code(run, frozenset({name}))
    raise Unsupported(f"ofType({kind})")


def is_type(left: Code, kind: str) -> Code:
    """Whether the one value is of a type; unknown for none."""
    narrowed, everything = of_type(left, kind).run, left.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        if not everything(focus, this, scope):
            return NONE
        return TRUE if narrowed(focus, this, scope) else FALSE

    return Code(run)


# -- operators ---------------------------------------------------------------------------------------------------


def item(left: Code, position: int) -> Code:
    before = left.run
    return Code(lambda focus, this, scope: before(focus, this, scope)[position : position + 1], left.types)


def minus(inner: Code) -> Code:
    before = inner.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        value = number(before(focus, this, scope))
        return NONE if value is None else [-value]

    return Code(run)


def operation(sign: str, left: Code, right: Code) -> Code:
    one, other = left.run, right.run
    if sign in _LOGIC:
        combine = _LOGIC[sign]

        def logic(focus: Focus, this: Focus, scope: Scope) -> Focus:
            return said(combine(truth(one(focus, this, scope)), lambda: truth(other(focus, this, scope))))

        return Code(logic)
    try:
        operate = _OPERATORS[sign]
    except KeyError:
        raise Unsupported(sign) from None

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        return operate(one(focus, this, scope), other(focus, this, scope))

    types = left.types | right.types if sign == "|" and left.types is not None and right.types is not None else None
    return Code(run, types)


Later = Callable[[], bool | None]


def _and(left: bool | None, right: Later) -> bool | None:
    if left is False:
        return False
    second = right()
    return second if left or second is False else None


def _or(left: bool | None, right: Later) -> bool | None:
    if left:
        return True
    second = right()
    return second if left is False or second else None


def _xor(left: bool | None, right: Later) -> bool | None:
    second = right()
    return None if left is None or second is None else left is not second


def _implies(left: bool | None, right: Later) -> bool | None:
    if left is False:
        return True
    second = right()
    return True if second else (second if left else None)


def _unequal(left: Focus, right: Focus) -> Focus:
    answer = equal(left, right)
    return said(None if answer is None else not answer)


def _in(left: Focus, right: Focus) -> Focus:
    return said(holds(right, left[0])) if left else NONE


def _joined(left: Focus, right: Focus) -> Focus:
    return ["".join(str(one) for one in (*left[:1], *right[:1]))]


def _plus(left: Focus, right: Focus) -> Focus:
    if left and right and isinstance(left[0], str) and isinstance(right[0], str):
        return [left[0] + right[0]]
    return _arithmetic(left, right, lambda one, other: one + other)


def _arithmetic(left: Focus, right: Focus, compute: Callable[[Decimal, Decimal], Decimal | None]) -> Focus:
    one, other = number(left), number(right)
    if one is None or other is None:
        return NONE
    made = compute(one, other)
    return NONE if made is None else [made]


_LOGIC: dict[str, Callable[[bool | None, Later], bool | None]] = {
    "and": _and,
    "or": _or,
    "xor": _xor,
    "implies": _implies,
}
_OPERATORS: dict[str, Callable[[Focus, Focus], Focus]] = {
    "=": lambda left, right: said(equal(left, right)),
    "!=": _unequal,
    "<": lambda left, right: said(less(left, right, or_equal=False)),
    ">": lambda left, right: said(less(right, left, or_equal=False)),
    "<=": lambda left, right: said(less(left, right, or_equal=True)),
    ">=": lambda left, right: said(less(right, left, or_equal=True)),
    "|": lambda left, right: distinct(left + right),
    "in": _in,
    "contains": lambda left, right: _in(right, left),
    "&": _joined,
    "+": _plus,
    "-": lambda left, right: _arithmetic(left, right, lambda one, other: one - other),
    "*": lambda left, right: _arithmetic(left, right, lambda one, other: one * other),
    "/": lambda left, right: _arithmetic(left, right, lambda one, other: one / other if other else None),
}
