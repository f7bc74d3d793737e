"""SMART App Launch 2.2 scopes for backend clients: `system/Type.cruds`, the letters in that order.

Source: hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bedside.foundation.errors import Invalid

# Letters must keep their order: `.dus` is not a scope. A search part (?category=…) would narrow further; it is
# refused rather than granted wider than asked.
_SCOPE = re.compile(r"system/(\*|[A-Z][A-Za-z]{1,63})\.(?=[cruds])(c?r?u?d?s?)")
# FHIR audit-event actions to SMART's letters; E (execute) is what an audit calls a search.
LETTER = {"C": "c", "R": "r", "U": "u", "D": "d", "E": "s"}


def parse(text: str) -> frozenset[str]:
    """The scopes in a space-separated text. Raises Invalid naming the first that is none."""
    scopes = frozenset(text.split())
    for scope in sorted(scopes):
        if not _SCOPE.fullmatch(scope):
            raise Invalid(
                "That is not a scope a backend client can have.",
                where=scope[:80],
                remedy="Use system/Type.cruds with the letters in that order, for example system/Observation.rs.",
            )
    if not scopes:
        raise Invalid("A scope is needed.", where="scope", remedy="For example system/*.cruds.")
    return scopes


def allows(scopes: Iterable[str], action: str, what: str) -> bool:
    """Whether any scope lets action (C R U D E) be done on the resource type of what ('Type' or 'Type/id')."""
    kind = what.partition("/")[0]
    for scope in scopes:
        match = _SCOPE.fullmatch(scope)
        if match and match[1] in ("*", kind) and LETTER[action] in match[2]:
            return True
    return False


def narrow(asked: frozenset[str], held: Iterable[str]) -> frozenset[str]:
    """The asked scopes as far as the held ones allow (RFC 6749 §3.3: a server may grant less). Empty: none."""
    held = frozenset(held)
    found: set[str] = set()
    for scope in asked:
        match = _SCOPE.fullmatch(scope)
        if match is None:
            continue
        kind = match[1]
        if kind == "*":
            # A wildcard is met by each held scope within it.
            for mine in held:
                if other := _SCOPE.fullmatch(mine):
                    letters = "".join(c for c in match[2] if c in other[2])
                    if letters:
                        found.add(f"system/{other[1]}.{letters}")
            continue
        letters = "".join(
            c for c, action in zip("cruds", "CRUDE", strict=True) if c in match[2] and allows(held, action, kind)
        )
        if letters:
            found.add(f"system/{kind}.{letters}")
    return frozenset(found)
