"""Whether a resource is as a profile wants it (hl7.org/fhir/R4/profiling.html): what R4 itself wants is checked before.

What cannot be judged here (a value set that is not loaded, a rule in words that are not known) is said, never passed
over: a resource that is only "not refused" would be taken for one that was found good.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from bedside.fhir import fhirpath, references
from bedside.fhir.fhirpath.compiler import compile_tree
from bedside.fhir.issues import Issue
from bedside.fhir.profiles import slices, values
from bedside.fhir.profiles.definition import Node, Profile, Rule, names, type_of
from bedside.fhir.profiles.values import Value
from bedside.fhir.terminology import Codes

ENOUGH = 200
"""Findings after which no more is looked at."""


LONGEST = 2000
"""Characters of an invariant's expression."""


class Known(NamedTuple):
    """What the checks may look up: profiles by URL, and the codes of value sets, None for those not to be had."""

    profiles: Mapping[str, Profile]
    codes: Mapping[str, Codes | None]


def check(resource: dict[str, Any], profile: Profile, known: Known) -> list[Issue]:
    """What breaks the profile and those that it is derived from, as far as they are known."""
    walk = _Walk(resource, known)
    if resource.get("resourceType") != profile.type:
        return [Issue("error", "value", "", f"This profile is of {profile.type}.")]
    for one in chain(profile, known.profiles):
        walk.inside(one.root, resource, profile.type, profile.type)
    return walk.issues[:ENOUGH]


def chain(profile: Profile, known: Mapping[str, Profile]) -> list[Profile]:
    """The profile and those it is derived from, as far as they are wanted and known."""
    found = [profile]
    while not found[-1].whole and found[-1].base in known and known[found[-1].base] not in found:
        found.append(known[found[-1].base])
    return found


class _Walk:
    """One resource along one profile."""

    def __init__(self, resource: dict[str, Any], known: Known) -> None:
        self.resource, self.known = resource, known
        self.issues: list[Issue] = []
        self._said: set[tuple[str, str]] = set()

    def _add(self, severity: Any, code: str, path: str, what: str) -> None:
        if (path, what) not in self._said:
            self._said.add((path, what))
            self.issues.append(Issue(severity, code, path, what))

    def inside(self, node: Node, value: Any, path: str, type_: str) -> None:
        """The rules, the children and the slices of an object."""
        for rule in node.rules:
            self._rule(rule, value, path, type_)
        if not isinstance(value, dict) or len(self.issues) > ENOUGH:
            return
        for child in node.children.values():
            found = values.found(value, child.name, path, type_)
            self._number(child, len(found), f"{path}.{child.name}")
            for one in found:
                self._one(child, one)
            self._slices(child, found, f"{path}.{child.name}")

    def _number(self, node: Node, count: int, path: str) -> None:
        what = f"slice {node.slice} " if node.slice else ""
        if count < node.least:
            self._add("error", "required", path, f"{what}needs at least {node.least} of this".strip())
        if node.most is not None and count > node.most:
            allowed = f"at most {node.most} of this" if node.most else "none of this"
            self._add("error", "structure", path, f"{what}may have {allowed}".strip())

    def _slices(self, node: Node, found: list[Value], path: str) -> None:
        if not node.slices:
            return
        left = list(found)
        for one in node.slices.values():
            matches = slices.matcher(one, node.slicing, self.known.codes)
            if matches is None:
                if one.least or one.most is not None:
                    what = f"slice {one.slice} is told apart in a way that is not known here: not checked"
                    self._add("information", "not-supported", path, what)
                continue
            mine = [value for value in left if matches(value.value, value.key)]
            left = [value for value in left if value not in mine]
            self._number(one, len(mine), path)
            for value in mine:
                self._one(one, value)
                self._slices(one, [value], path)
        if node.slicing is not None and node.slicing.closed and left:
            self._add("error", "structure", left[0].path, "fits none of the slices, and nothing else may be here")

    def _one(self, node: Node, one: Value) -> None:
        if node.fixed is not None and not values.same(one.value, node.fixed):
            self._add("error", "value", one.path, f"must be {values.said(node.fixed)}")
        if node.pattern is not None and not values.contains(one.value, node.pattern):
            self._add("error", "value", one.path, f"must have {values.said(node.pattern)}")
        if node.types and node.name.endswith("[x]") and one.type not in node.types:
            self._add("error", "structure", one.path, f"must be a {names(node.types)}")
        if node.targets and isinstance(one.value, dict):
            self._target(node, one)
        if node.binding is not None:
            self._coded(node, one)
        for url in node.profiles:
            profile = self.known.profiles.get(url)
            if profile is not None and profile.type == one.type:
                for each in chain(profile, self.known.profiles):
                    self.inside(each.root, one.value, one.path, one.type)
        self.inside(node, one.value, one.path, one.type)

    def _target(self, node: Node, one: Value) -> None:
        types = {type_of(url, self.known.profiles) for url in node.targets}
        held = self.resource.get("contained")
        contained = [it for it in held if isinstance(it, dict)] if isinstance(held, list) else []
        leads = references.target_type(one.value, {str(it.get("id")): str(it.get("resourceType")) for it in contained})
        if None not in types and "Resource" not in types and leads is not None and leads not in types:
            self._add("error", "value", one.path, f"must lead to a {names(sorted(t for t in types if t))}")

    def _coded(self, node: Node, one: Value) -> None:
        if node.binding is None:
            return
        strength, url = node.binding
        codes = self.known.codes.get(url)
        if codes is None:
            self._add("information", "not-found", one.path, f"the value set {url} is not loaded: not checked")
            return
        if values.coded(one.value, codes):
            return
        required = strength == "required"
        what = f"needs a code of {url}" if required else f"has no code of {url}, which is to be used where one fits"
        self._add("error" if required else "warning", "code-invalid", one.path, what)

    def _rule(self, rule: Rule, value: Any, path: str, type_: str) -> None:
        severity = "error" if rule.severity == "error" else "warning"
        try:
            holds = truth(rule.expression, value, type_, self.resource)
        except Exception:  # an expression of somebody else's making may fail in any way
            self._add("warning", "not-supported", path, f"{rule.key} cannot be evaluated here: not checked")
            return
        if not holds:
            self._add(severity, "invariant", path, f"{rule.key}: {rule.human}")


def truth(expression: str, value: Any, type_: str, resource: dict[str, Any]) -> bool:
    """Whether an invariant holds on a value of the type. Raises whatever a malformed expression may bring.

    Patterns are not run: whoever may write a profile could hold the program with one.
    """
    if "matches" in expression.casefold() or len(expression) > LONGEST:
        raise fhirpath.Unsupported("patterns")
    try:
        run = compile_tree(fhirpath.parse(expression), frozenset({type_})).run
    except fhirpath.Unsupported:
        found = fhirpath.expression(expression, type_)(value)
    else:
        found = run([value], [value], fhirpath.Scope(resource, resource, value))
    return bool(fhirpath.truth(found))
