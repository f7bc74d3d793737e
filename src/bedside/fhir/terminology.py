"""Code systems with their hierarchies, and value sets spelled out: what `:in`, `:not-in`, `:above` and `:below` mean.

R4's own are in a pack that tools/build_definitions.py makes. Others (a site's ValueSet, a code system from a package)
are handed in as FHIR resources by whoever keeps them. Here is no input or output: what is missing is named, and the
caller brings it.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, NamedTuple

import msgspec

from bedside.fhir.vocabulary import ICD_10_CM

FORMAT = 1
"""Of the pack; raised with every change to what the structures below hold."""

MOST = 100_000
"""Codes of one expansion."""
DEEPEST = 20
"""Value sets within value sets."""

Codes = Mapping[str, frozenset[str]]
"""An expansion: the codes by system."""


class Concept(msgspec.Struct, frozen=True, array_like=True):
    """A code of a system. parents: the codes directly above it."""

    code: str
    display: str = ""
    parents: tuple[str, ...] = ()


class CodeSystem(msgspec.Struct, frozen=True, array_like=True, dict=True):
    """A code system. complete: whether all of its codes are here."""

    url: str
    version: str
    name: str
    complete: bool
    concepts: tuple[Concept, ...]

    @cached_property
    def by_code(self) -> dict[str, Concept]:
        """Its concepts."""
        return {one.code: one for one in self.concepts}

    @cached_property
    def children(self) -> dict[str, list[str]]:
        """Code to the codes directly below it."""
        found: dict[str, list[str]] = {}
        for one in self.concepts:
            for parent in one.parents:
                found.setdefault(parent, []).append(one.code)
        return found

    def below(self, code: str) -> frozenset[str]:
        """The code and all that it subsumes; nothing where the system has no such code."""
        return self._reach(code, lambda one: self.children.get(one, ()))

    def above(self, code: str) -> frozenset[str]:
        """The code and all that subsume it; nothing where the system has no such code."""
        known = self.by_code
        return self._reach(code, lambda one: known[one].parents if one in known else ())

    def _reach(self, code: str, steps: Callable[[str], Sequence[str]]) -> frozenset[str]:
        if code not in self.by_code:
            return frozenset()
        found, waiting = {code}, [code]
        while waiting:
            fresh = [one for one in steps(waiting.pop()) if one not in found]
            found.update(fresh)
            waiting += fresh
        return frozenset(found)


class Rule(msgspec.Struct, frozen=True, array_like=True):
    """A filter of a value set: property, op, value as FHIR words them."""

    property: str
    op: str
    value: str


class Clause(msgspec.Struct, frozen=True, array_like=True):
    """What a value set includes or excludes: codes of a system (all, or those listed, or those that every rule lets
    through), and only those that are in every one of value_sets too."""

    system: str = ""
    codes: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()
    value_sets: tuple[str, ...] = ()


class ValueSet(msgspec.Struct, frozen=True, array_like=True):
    """A value set's definition."""

    url: str
    version: str
    name: str
    include: tuple[Clause, ...]
    exclude: tuple[Clause, ...] = ()


class Known(NamedTuple):
    """What stands beside R4's own, by URL, and before them."""

    code_systems: dict[str, CodeSystem]
    value_sets: dict[str, ValueSet]

    def code_system(self, url: str) -> CodeSystem:
        """Raises Missing."""
        found = self.code_systems.get(url) or code_system(url)
        if found is None:
            raise Missing("CodeSystem", url)
        return found

    def value_set(self, url: str) -> ValueSet:
        """Raises Missing."""
        found = self.value_sets.get(url) or value_set(url)
        if found is None:
            raise Missing("ValueSet", url)
        return found


class Missing(LookupError):
    """An expansion needs what is not here. kind: CodeSystem or ValueSet."""

    def __init__(self, kind: str, url: str) -> None:
        super().__init__(f"{kind} {url}")
        self.kind, self.url = kind, url


class Unlisted(ValueError):
    """The codes cannot be listed: a system of which only a part is here, a rule that is not known, too many."""


# -- what R4 publishes ---------------------------------------------------------------------------------------------


class _Pack(msgspec.Struct, frozen=True):
    format: int
    code_systems: dict[str, msgspec.Raw]
    value_sets: dict[str, msgspec.Raw]


@cache
def _pack() -> _Pack:
    try:
        raw = files("bedside.fhir").joinpath("data", "terminology.msgpack").read_bytes()
    except FileNotFoundError:
        raise RuntimeError("The FHIR definitions are not built: run `make setup`.") from None
    pack = msgspec.msgpack.decode(raw, type=_Pack)
    if pack.format != FORMAT:
        raise RuntimeError("The FHIR definitions are of another version of Bedside: run `make setup`.")
    return pack


class _Large(msgspec.Struct, frozen=True):
    format: int
    code_system: CodeSystem


@cache
def code_system(url: str) -> CodeSystem | None:
    """One of R4's code systems (those of v2 and v3 included), or ICD-10-CM, which takes a third of a second once."""
    if url == ICD_10_CM:
        return _unpacked("icd-10-cm.msgpack.z")
    raw = _pack().code_systems.get(url)
    return None if raw is None else msgspec.msgpack.decode(raw, type=CodeSystem)


def _unpacked(name: str) -> CodeSystem:
    try:
        raw = files("bedside.fhir").joinpath("data", name).read_bytes()
    except FileNotFoundError:
        raise RuntimeError("The code systems are not built: run `make setup`.") from None
    pack = msgspec.msgpack.decode(zlib.decompress(raw), type=_Large)
    if pack.format != FORMAT:
        raise RuntimeError("The code systems are of another version of Bedside: run `make setup`.")
    return pack.code_system


@cache
def value_set(url: str) -> ValueSet | None:
    """One of R4's value sets."""
    raw = _pack().value_sets.get(url)
    return None if raw is None else msgspec.msgpack.decode(raw, type=ValueSet)


def value_sets() -> tuple[str, ...]:
    """The URLs of R4's value sets."""
    return tuple(_pack().value_sets)


# -- from resources ------------------------------------------------------------------------------------------------


def code_system_of(resource: Mapping[str, Any]) -> CodeSystem:
    """A CodeSystem resource. Children are nested, or name their parents in a property (`subsumedBy`, `parent`)."""
    found: dict[str, tuple[str, dict[str, None]]] = {}
    waiting = [(one, "") for one in reversed(resource.get("concept", ()))]
    below: list[tuple[str, str]] = []
    while waiting:
        one, parent = waiting.pop()
        _, parents = found.setdefault(one["code"], (one.get("display", ""), {}))
        if parent:
            parents[parent] = None
        for said in one.get("property", ()):
            if said.get("code") in ("subsumedBy", "parent") and "valueCode" in said:
                parents[said["valueCode"]] = None
            if said.get("code") == "child" and "valueCode" in said:
                below.append((said["valueCode"], one["code"]))
        waiting += [(child, one["code"]) for child in reversed(one.get("concept", ()))]
    for child, parent in below:
        if child in found:
            found[child][1][parent] = None
    return CodeSystem(
        resource["url"],
        resource.get("version", ""),
        resource.get("name", ""),
        resource.get("content") == "complete",
        tuple(Concept(code, display, tuple(parents)) for code, (display, parents) in found.items()),
    )


def value_set_of(resource: Mapping[str, Any]) -> ValueSet:
    """A ValueSet resource; one that has only an expansion is taken by that."""
    compose = resource.get("compose") or {}
    include = tuple(_clause(one) for one in compose.get("include", ()))
    exclude = tuple(_clause(one) for one in compose.get("exclude", ()))
    if not include:
        include = tuple(
            Clause(system, tuple(codes)) for system, codes in _listed(resource.get("expansion") or {}).items()
        )
    return ValueSet(resource.get("url", ""), resource.get("version", ""), resource.get("name", ""), include, exclude)


def _clause(said: Mapping[str, Any]) -> Clause:
    return Clause(
        said.get("system", ""),
        tuple(one["code"] for one in said.get("concept", ())),
        tuple(Rule(one["property"], one["op"], one["value"]) for one in said.get("filter", ())),
        tuple(one.partition("|")[0] for one in said.get("valueSet", ())),
    )


def _listed(expansion: Mapping[str, Any]) -> dict[str, dict[str, None]]:
    found: dict[str, dict[str, None]] = {}
    waiting = list(expansion.get("contains", ()))
    while waiting:
        one = waiting.pop()
        if "code" in one and not one.get("abstract"):
            found.setdefault(one.get("system", ""), {})[one["code"]] = None
        waiting += one.get("contains", ())
    return found


# -- expansions ----------------------------------------------------------------------------------------------------

NOTHING = Known({}, {})


def expand(url: str, known: Known = NOTHING) -> Codes:
    """Every code of a value set. url: without version. Raises Missing, Unlisted."""
    return spelled_out(known.value_set(url), known)


def spelled_out(one: ValueSet, known: Known = NOTHING, depth: int = DEEPEST) -> Codes:
    """Every code of a value set. Raises Missing, Unlisted."""
    if depth == 0:
        raise Unlisted("value sets within value sets lead too far")
    found: dict[str, set[str]] = {}
    for clause in one.include:
        for system, codes in _codes(clause, known, depth).items():
            found.setdefault(system, set()).update(codes)
    for clause in one.exclude:
        for system, codes in _codes(clause, known, depth).items():
            found.get(system, set()).difference_update(codes)
    if sum(map(len, found.values())) > MOST:
        raise Unlisted(f"more than {MOST} codes")
    return {system: frozenset(codes) for system, codes in found.items() if codes}


def _codes(clause: Clause, known: Known, depth: int) -> Codes:
    parts = list(_parts(clause, known, depth))
    if not parts:
        return {}
    systems = frozenset.intersection(*(frozenset(part) for part in parts))
    return {system: frozenset.intersection(*(part[system] for part in parts)) for system in systems}


def _parts(clause: Clause, known: Known, depth: int) -> Iterator[Codes]:
    """What must hold together."""
    if clause.system:
        yield {clause.system: frozenset(clause.codes) or _by_rules(clause, known)}
    for url in clause.value_sets:
        yield spelled_out(known.value_set(url), known, depth - 1)


def _by_rules(clause: Clause, known: Known) -> frozenset[str]:
    system = known.code_system(clause.system)
    if not system.complete:
        raise Unlisted("of a code system only a part is here")
    found = frozenset(system.by_code)
    for rule in clause.rules:
        found &= _let_through(rule, system)
    return found


def _let_through(rule: Rule, system: CodeSystem) -> frozenset[str]:
    match rule:
        case Rule("concept" | "code", "is-a", code):
            return system.below(code)
        case Rule("concept" | "code", "descendent-of", code):
            return system.below(code) - {code}
        case Rule("concept" | "code", "is-not-a", code):
            return frozenset(system.by_code) - system.below(code)
        case Rule("concept" | "code", "generalizes", code):
            return system.above(code)
        case Rule("concept" | "code", "=", code):
            return frozenset({code} & system.by_code.keys())
        case Rule("concept" | "code", "in", codes):
            return frozenset(codes.split(",")) & system.by_code.keys()
        case Rule("concept" | "code", "not-in", codes):
            return frozenset(system.by_code) - frozenset(codes.split(","))
    raise Unlisted("a rule of the value set is not known here")
