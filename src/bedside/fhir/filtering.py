"""The language of `_filter` (hl7.org/fhir/R4/search_filter.html), made into the conditions that parameters make.

`given sw "pet" and (birthdate ge 1990 or not (active eq true))`: `and` binds before `or`. Paths are chains of
parameters; a filter within a path (`entry[…].item`) is not known here.
"""

import re
from collections.abc import Callable

from bedside.fhir.query import Condition, Group

MOST = 50
"""Comparisons in one filter."""
DEEPEST = 10
"""Parentheses within parentheses."""

Make = Callable[[str, str], Condition]
"""A condition from a parameter's name, modifiers and chains included, and its value as a query writes it."""

_TOKEN = re.compile(r'\s*(?:(?P<mark>[()\[\]])|(?P<text>"(?:[^"\\]|\\.)*")|(?P<word>[^\s()\[\]"]+))')
_PREFIXES = frozenset({"eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"})
_ORDERED = frozenset({"number", "date", "quantity"})


def parse(text: str, make: Make, kind_of: Callable[[str], str]) -> Condition:
    """The condition that a filter means. kind_of: the type of the parameter that a path ends at.

    Raises ValueError with a text for the caller, and whatever make and kind_of raise.
    """
    reading = _Reading(text, make, kind_of)
    found = reading.any_of(0)
    if reading.left:
        raise ValueError("is not written as a filter: something follows its end")
    return found


class _Reading:
    def __init__(self, text: str, make: Make, kind_of: Callable[[str], str]) -> None:
        self.left = _tokens(text)
        self.make, self.kind_of = make, kind_of
        self.count = 0

    def any_of(self, depth: int) -> Condition:
        """Joined by `or`."""
        if depth > DEEPEST:
            raise ValueError(f"has more than {DEEPEST} parentheses within one another")
        parts = [self.all_of(depth)]
        while self._take("or"):
            parts.append(self.all_of(depth))
        return parts[0] if len(parts) == 1 else Group("or", tuple(parts))

    def all_of(self, depth: int) -> Condition:
        """Joined by `and`."""
        parts = [self.one(depth)]
        while self._take("and"):
            parts.append(self.one(depth))
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def one(self, depth: int) -> Condition:
        """A comparison, or a filter in parentheses."""
        negated = self._take("not")
        if self._take("("):
            inner = self.any_of(depth + 1)
            if not self._take(")"):
                raise ValueError("is not written as a filter: a parenthesis is not closed")
            return Group("not", (inner,)) if negated else inner
        if negated:
            raise ValueError("is not written as a filter: after not comes a parenthesis")
        self.count += 1
        if self.count > MOST:
            raise ValueError(f"has more than {MOST} comparisons")
        path, compare, value = self._next(), self._next(), self._next()
        return self._comparison(path, compare, value)

    def _comparison(self, path: str, compare: str, value: str) -> Condition:
        plain = _unquoted(value)
        kind = self.kind_of(path)
        if compare == "pr":
            if plain not in ("true", "false"):
                raise ValueError("pr takes true or false")
            return self.make(f"{path}:missing", "false" if plain == "true" else "true")
        if kind in _ORDERED and (compare in _PREFIXES or compare == "po"):
            return self.make(path, ("ap" if compare == "po" else compare) + plain)
        modifier = _MODIFIERS.get(kind, {}).get(compare)
        if modifier is None:
            raise ValueError(f"compares a {kind} parameter by {compare[:8]}, which is not known here")
        # A token's and a quantity's bar keeps its meaning; what else a query would take apart is meant as it stands.
        escaped = re.sub(r"[\\,$]" if kind in ("token", "reference", "uri") else r"[\\,$|]", r"\\\g<0>", plain)
        made = self.make(path + modifier, escaped)
        return Group("not", (made,)) if compare == "ne" else made

    def _take(self, word: str) -> bool:
        if self.left and self.left[0] == word:
            self.left.pop(0)
            return True
        return False

    def _next(self) -> str:
        if not self.left or self.left[0] in ("(", ")"):
            raise ValueError('is not written as a filter: parameter, comparison, value, as in name sw "a"')
        if self.left[0] in ("[", "]"):
            raise ValueError("has a filter within a path, which is not known here")
        return self.left.pop(0)


_MODIFIERS = {
    "string": {"eq": ":exact", "ne": ":exact", "sw": "", "co": ":contains"},
    "token": {"eq": "", "ne": "", "in": ":in", "sb": ":below", "ss": ":above"},
    "reference": {"eq": "", "ne": "", "re": ""},
    "uri": {"eq": "", "ne": "", "sw": ":below", "sb": ":below", "ss": ":above"},
}


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.rstrip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError("is not written as a filter: a quotation mark is not closed")
        found.append(match[match.lastgroup or 0])
        at = match.end()
    return found


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value[:1] == '"' else value
