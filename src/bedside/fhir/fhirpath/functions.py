"""The functions of FHIRPath that R4's own expressions and most profiles use."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from bedside.fhir import references
from bedside.fhir.fhirpath.parts import Code, Run, Scope, Tree, Unsupported, is_type, of_type
from bedside.fhir.fhirpath.values import FALSE, NONE, TRUE, Focus, distinct, equal, holds, number, said, text, truth

Types = frozenset[str] | None


def call(
    name: str, arguments: list[Tree], left: Code, outer: Types, compile_tree: Callable[[Tree, Types], Code]
) -> Code:
    """`left.name(arguments)`. outer: the types of $this, for arguments that are not evaluated item by item."""
    if name in ("is", "as", "ofType"):
        kind = _type_name(arguments[0])
        return is_type(left, kind) if name == "is" else of_type(left, kind)
    if not arguments and name in _SIMPLE:
        function, keeps = _SIMPLE[name]
        return Code(_after(left.run, function), left.types if keeps else None)
    if name in _EACH and len(arguments) == 1:
        inner = compile_tree(arguments[0], left.types)
        return _EACH[name](left, inner)
    if name == "iif":
        return _iif(left, [compile_tree(argument, left.types) for argument in arguments])
    if name == "trace":
        return left
    if name in _WITH_ARGUMENTS:
        function_of, count = _WITH_ARGUMENTS[name]
        if len(arguments) in count:
            return _with_arguments(left, [compile_tree(argument, outer).run for argument in arguments], function_of)
    if name == "extension" and len(arguments) == 1:
        return _extension(left, compile_tree(arguments[0], outer).run)
    if name == "resolve" and not arguments:
        return _resolve(left)
    raise Unsupported(f"{name}()")


def _type_name(tree: Tree) -> str:
    if tree[0] == "member":
        return str(tree[1])
    if tree[0] == "." and tree[2][0] == "member":
        return str(tree[2][1])
    raise Unsupported("type name")


def _after(before: Run, function: Callable[[Focus], Focus]) -> Run:
    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        return function(before(focus, this, scope))

    return run


# -- without arguments -------------------------------------------------------------------------------------------


def _not(found: Focus) -> Focus:
    value = truth(found)
    return NONE if value is None else FALSE if value else TRUE


def _children(found: Focus) -> Focus:
    out: Focus = []
    for one in found:
        if isinstance(one, dict):
            for key, value in one.items():
                if key == "resourceType" or (key[0] == "_" and key[1:] in one):
                    continue
                if isinstance(value, list):
                    out += value
                else:
                    out.append(value)
    return out


def _descendants(found: Focus) -> Focus:
    out: Focus = []
    level = _children(found)
    while level:
        out += level
        level = _children(level)
    return out


def _has_value(found: Focus) -> Focus:
    return TRUE if len(found) == 1 and not isinstance(found[0], dict) else FALSE


def _to_integer(found: Focus) -> Focus:
    if len(found) != 1:
        return NONE
    one = found[0]
    if isinstance(one, bool):
        return [int(one)]
    if isinstance(one, int):
        return [one]
    return [int(one)] if isinstance(one, str) and re.fullmatch(r"[+-]?\d{1,18}", one, re.ASCII) else NONE


def _to_string(found: Focus) -> Focus:
    if len(found) != 1 or isinstance(found[0], dict):
        return NONE
    one = found[0]
    return [("true" if one else "false") if isinstance(one, bool) else str(one)]


def _of_text(function: Callable[[str], Any]) -> Callable[[Focus], Focus]:
    def apply(found: Focus) -> Focus:
        one = text(found)
        return NONE if one is None else [function(one)]

    return apply


_SIMPLE: dict[str, tuple[Callable[[Focus], Focus], bool]] = {
    "exists": (lambda found: TRUE if found else FALSE, False),
    "empty": (lambda found: FALSE if found else TRUE, False),
    "not": (_not, False),
    "count": (lambda found: [len(found)], False),
    "first": (lambda found: found[:1], True),
    "last": (lambda found: found[-1:], True),
    "single": (lambda found: found[:1], True),
    "tail": (lambda found: found[1:], True),
    "distinct": (distinct, True),
    "isDistinct": (lambda found: said(len(distinct(found)) == len(found)), False),
    "allTrue": (lambda found: said(all(one is True for one in found)), False),
    "anyTrue": (lambda found: said(any(one is True for one in found)), False),
    "allFalse": (lambda found: said(all(one is False for one in found)), False),
    "anyFalse": (lambda found: said(any(one is False for one in found)), False),
    "children": (_children, False),
    "descendants": (_descendants, False),
    "hasValue": (_has_value, False),
    "getValue": (lambda found: found if _has_value(found) is TRUE else NONE, True),
    "toInteger": (_to_integer, False),
    "toString": (_to_string, False),
    "length": (_of_text(len), False),
    "upper": (_of_text(str.upper), False),
    "lower": (_of_text(str.lower), False),
    "trim": (_of_text(str.strip), False),
    "htmlChecks": (lambda _found: TRUE, False),  # narrative.py does it
}

# -- item by item ------------------------------------------------------------------------------------------------


def _where(left: Code, inner: Code) -> Code:
    before, test = left.run, inner.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        return [one for one in before(focus, this, scope) if truth(test([one], [one], scope))]

    return Code(run, left.types)


def _exists(left: Code, inner: Code) -> Code:
    before, test = left.run, inner.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        return said(any(truth(test([one], [one], scope)) for one in before(focus, this, scope)))

    return Code(run)


def _all(left: Code, inner: Code) -> Code:
    before, test = left.run, inner.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        return said(all(truth(test([one], [one], scope)) for one in before(focus, this, scope)))

    return Code(run)


def _select(left: Code, inner: Code) -> Code:
    before, project = left.run, inner.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        return [made for one in before(focus, this, scope) for made in project([one], [one], scope)]

    return Code(run, inner.types)


_EACH: dict[str, Callable[[Code, Code], Code]] = {
    "where": _where,
    "exists": _exists,
    "all": _all,
    "select": _select,
}


def _iif(left: Code, parts: list[Code]) -> Code:
    before = left.run
    condition, then = parts[0].run, parts[1].run
    otherwise = parts[2].run if len(parts) > 2 else None

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        found = before(focus, this, scope)
        if truth(condition(found, found, scope)):
            return then(found, found, scope)
        return otherwise(found, found, scope) if otherwise else NONE

    return Code(run)


def _extension(left: Code, url: Run) -> Code:
    before = left.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        wanted = text(url(this, this, scope))
        return [
            extension
            for one in before(focus, this, scope)
            if isinstance(one, dict)
            for extension in one.get("extension", ())
            if extension.get("url") == wanted
        ]

    return Code(run, frozenset({"Extension"}))


def _resolve(left: Code) -> Code:
    """The referred resource as far as the resource at hand tells: a contained one whole, else only its type."""
    before = left.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        held = scope.root.get("contained", ()) if isinstance(scope.root, dict) else ()
        by_id = {f"#{one.get('id')}": one for one in held if isinstance(one, dict)}
        out: Focus = []
        for one in before(focus, this, scope):
            if not isinstance(one, dict):
                continue
            if (inside := by_id.get(str(one.get("reference")))) is not None:
                out.append(inside)
            elif type_ := references.target_type(one):
                out.append({"resourceType": type_})
        return out

    return Code(run)


# -- with arguments ----------------------------------------------------------------------------------------------

Function = Callable[[Focus, list[Focus]], Focus]


def _with_arguments(left: Code, arguments: list[Run], function: Function) -> Code:
    before = left.run

    def run(focus: Focus, this: Focus, scope: Scope) -> Focus:
        return function(before(focus, this, scope), [argument(this, this, scope) for argument in arguments])

    return Code(run)


def _texts(function: Callable[[str, str], Any]) -> Function:
    def apply(found: Focus, arguments: list[Focus]) -> Focus:
        one, other = text(found), text(arguments[0])
        return NONE if one is None or other is None else [function(one, other)]

    return apply


@lru_cache(256)
def _pattern(expression: str) -> re.Pattern[str]:
    return re.compile(expression, re.DOTALL)


def _replace(found: Focus, arguments: list[Focus]) -> Focus:
    one, old, new = text(found), text(arguments[0]), text(arguments[1])
    return NONE if one is None or old is None or new is None else [one.replace(old, new)]


def _replace_matches(found: Focus, arguments: list[Focus]) -> Focus:
    one, old, new = text(found), text(arguments[0]), text(arguments[1])
    return NONE if one is None or old is None or new is None else [_pattern(old).sub(lambda _match: new, one)]


def _substring(found: Focus, arguments: list[Focus]) -> Focus:
    one, start = text(found), number(arguments[0])
    if one is None or start is None or not 0 <= start < len(one):
        return NONE
    length = number(arguments[1]) if len(arguments) > 1 else None
    begin = int(start)
    return [one[begin:] if length is None else one[begin : begin + int(length)]]


def _take_first(found: Focus, arguments: list[Focus]) -> Focus:
    count = number(arguments[0])
    return NONE if count is None else found[: max(0, int(count))]


def _skip(found: Focus, arguments: list[Focus]) -> Focus:
    count = number(arguments[0])
    return NONE if count is None else found[max(0, int(count)) :]


def _subset(found: Focus, of: Focus) -> Focus:
    return said(all(holds(of, one) for one in found))


_ONE, _TWO = (1,), (2,)
_WITH_ARGUMENTS: dict[str, tuple[Function, tuple[int, ...]]] = {
    "startsWith": (_texts(str.startswith), _ONE),
    "endsWith": (_texts(str.endswith), _ONE),
    "contains": (_texts(lambda one, other: other in one), _ONE),
    "indexOf": (_texts(str.find), _ONE),
    "matches": (_texts(lambda one, other: _pattern(other).search(one) is not None), _ONE),
    "replace": (_replace, _TWO),
    "replaceMatches": (_replace_matches, _TWO),
    "substring": (_substring, (1, 2)),
    "combine": (lambda found, arguments: found + arguments[0], _ONE),
    "union": (lambda found, arguments: distinct(found + arguments[0]), _ONE),
    "intersect": (lambda found, given: distinct([one for one in found if holds(given[0], one)]), _ONE),
    "exclude": (lambda found, given: [one for one in found if not holds(given[0], one)], _ONE),
    "subsetOf": (lambda found, given: _subset(found, given[0]), _ONE),
    "supersetOf": (lambda found, given: _subset(given[0], found), _ONE),
    "take": (_take_first, _ONE),
    "skip": (_skip, _ONE),
    "join": (lambda found, given: [(text(given[0]) or "").join(str(one) for one in found)], _ONE),
    "comparable": (lambda found, given: said(equal(found, given[0]) is not None), _ONE),
}
