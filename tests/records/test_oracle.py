"""The SQL engine and a naive look at every resource give the same answer, for made-up resources and queries."""

import random
from itertools import pairwise
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from tests.records.naive import Shelf

from bedside import access, records
from bedside.fhir import definitions, structure, terminology
from bedside.fhir.grammar import BadQuery, parse
from bedside.fhir.testing import Maker
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine

TYPES = (
    *("Patient", "Observation", "Encounter", "Condition", "Organization", "Practitioner", "Procedure", "CareTeam"),
    *("Location", "RiskAssessment", "DiagnosticReport", "Substance", "Schedule", "ValueSet", "Group"),
    *("DocumentReference", "MolecularSequence", "Questionnaire", "QuestionnaireResponse"),
)
EACH = 12
QUERIES = 22
UNSORTED = ("deceased", "_lastUpdated")  # an expression's value; the clock's
SETS = (
    *("http://hl7.org/fhir/ValueSet/observation-status", "http://hl7.org/fhir/ValueSet/administrative-gender"),
    *("http://hl7.org/fhir/ValueSet/publication-status", "http://hl7.org/fhir/ValueSet/event-status"),
    *("http://hl7.org/fhir/ValueSet/encounter-status", "http://hl7.org/fhir/ValueSet/document-reference-status"),
)
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def made(seed: int) -> list[dict[str, Any]]:
    """Some resources of each type that keep every rule."""
    found = []
    for type_ in TYPES:
        count, turn = 0, 0
        while count < EACH and turn < 1500:
            turn += 1
            maker = Maker(seed * 100_000 + turn, fullness=0.15 if turn % 2 else 0.35, depth=3)
            resource = {**maker.resource(type_), "id": str(count)}
            if type_ in ("Questionnaire", "ValueSet"):
                resource["url"] = f"http://x.org/{count}"  # what canonical references of others lead to
            honest(resource)
            if not structure.validate(resource):
                found.append(resource)
                count += 1
        assert count == EACH, f"{type_}: too few that keep every rule"
    return found


def honest(node: Any) -> None:
    """Take from every attachment what it says of its content, which would not be true."""
    if isinstance(node, dict) and ("data" in node or "url" in node):
        node.pop("size", None)
        node.pop("hash", None)
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        honest(one)


def escaped(text: str) -> str:
    for letter in "\\,|$":
        text = text.replace(letter, f"\\{letter}")
    return text


class Asker:
    """Makes up queries, most of which find something."""

    def __init__(self, shelf: Shelf, seed: int) -> None:
        self.shelf, self.pick = shelf, random.Random(seed)

    def query(self, type_: str) -> str:
        """One or two conditions."""
        parts = [self.condition(type_) for _ in range(self.pick.choice((1, 1, 2)))]
        if self.pick.random() < 0.15:
            parts.append(self.chained(type_))
        if self.pick.random() < 0.15:
            parts.append(self.reverse(type_))
        return "&".join(part for part in parts if part)

    def condition(self, type_: str) -> str:
        parameter = self.parameter(type_)
        if self.pick.random() < 0.08:
            return f"{parameter.code}:missing={self.pick.choice(('true', 'false'))}"
        names = [name for name in self.shelf.resources if name.startswith(f"{type_}/")]
        self.pick.shuffle(names)
        for name in names:
            values = self.shelf.values(name, parameter.code, parameter.type)
            if values:
                modifier, text = self.written(parameter, self.pick.choice(values))
                return f"{parameter.code}{modifier}={quote(text)}"
        return ""

    def deep(self, type_: str, depth: int) -> str:
        """A condition, or one behind a reference, either way round, again and again."""
        turn = self.pick.random()
        if depth and turn < 0.3:
            return self.chained(type_, depth - 1)
        if depth and turn < 0.5:
            return self.reverse(type_, depth - 1)
        return self.condition(type_)

    def meant(self, parameter: definitions.SearchParameter, value: Any) -> tuple[str, str] | None:
        """A code sought by what it means: by its text, or by R4's own value sets and code systems."""
        turn = self.pick.random()
        if value.text and turn < 0.3:
            return ":text", escaped(value.text[: self.pick.randint(1, 8)])
        system = terminology.code_system(value.system or "")
        if system is None or value.code not in system.by_code or turn > 0.6:
            return None
        if turn < 0.45:
            return self.pick.choice((":below", ":above")), f"{value.system}|{escaped(value.code)}"
        sets = [url for url in SETS if value.system in terminology.expand(url)]
        return (self.pick.choice((":in", ":not-in")), self.pick.choice(sets)) if sets else None

    def parameter(self, type_: str) -> definitions.SearchParameter:
        known = definitions.search_parameters(type_).values()
        composites = [p for p in known if p.type == "composite"]
        if composites and self.pick.random() < 0.2:
            return self.pick.choice(composites)
        return self.pick.choice([p for p in known if p.code[0] != "_" and p.type not in ("composite", "special")])

    def sort(self, type_: str) -> str:
        """One or two keys."""
        known = definitions.search_parameters(type_).values()
        able = [p.code for p in known if p.type not in ("composite", "special") and p.code not in UNSORTED]
        codes = self.pick.sample(able, self.pick.choice((1, 2)))
        return ",".join(self.pick.choice(("", "-")) + code for code in codes)

    def chained(self, type_: str, depth: int = 1) -> str:
        links = [p for p in definitions.search_parameters(type_).values() if p.type == "reference"]
        if not links:
            return ""
        link = self.pick.choice(links)
        targets = [target for target in link.targets if target in TYPES]
        if not targets:
            return ""
        target = self.pick.choice(targets)
        inner = self.deep(target, depth)
        return f"{link.code}:{target}.{inner}" if inner else ""

    def reverse(self, type_: str, depth: int = 1) -> str:
        source = self.pick.choice(TYPES)
        links = [
            p for p in definitions.search_parameters(source).values() if p.type == "reference" and type_ in p.targets
        ]
        inner = self.deep(source, depth)
        return f"_has:{source}:{self.pick.choice(links).code}:{inner}" if links and inner else ""

    def written(self, parameter: definitions.SearchParameter, value: Any) -> tuple[str, str]:
        """A modifier and a value that a resource's value might be found by."""
        if parameter.type == "composite":
            parts = [self.pick.choice(found) for found in value.parts]
            each = [
                self.simple(one.type, part, plain=True) for one, part in zip(parameter.components, parts, strict=True)
            ]
            return "", "$".join(text for _, text in each)
        if parameter.type == "token" and (meant := self.meant(parameter, value)) is not None:
            return meant
        return self.simple(parameter.type, value)

    def simple(self, kind: str, value: Any, *, plain: bool = False) -> tuple[str, str]:
        """As `written`, by the kind alone. plain: without a modifier."""
        pick = self.pick
        if plain and kind in ("string", "token"):
            text = (
                value.exact[:3] if kind == "string" else f"{escaped(value.system or '')}|{escaped(value.code or 'x')}"
            )
            return "", escaped(text) if kind == "string" else text
        if kind == "token":
            if value.type and pick.random() < 0.5:
                return ":of-type", f"{value.type}|{escaped(value.code)}"
            code, system = escaped(value.code or "x"), escaped(value.system or "")
            text = pick.choice((code, f"{system}|{code}", f"{system}|" if system else code, f"{code},zzz"))
            return pick.choice(("", "", ":not")), text
        if kind == "string":
            modifier = pick.choice(("", ":exact", ":contains"))
            text = value.exact if modifier == ":exact" else value.exact[: pick.randint(1, 4)]
            return modifier, escaped(text)
        if kind == "uri":
            return pick.choice((("", value.uri), (":below", value.uri[:-1])))
        if kind == "reference":
            if value.identifier_value:
                return ":identifier", f"{value.identifier_system}|{value.identifier_value}"
            if value.url:
                return "", escaped(value.url)
            return "", pick.choice((f"{value.type}/{value.id}", value.id))
        if kind == "date":
            text = value.low.strftime("%Y-%m-%dT%H:%M:%SZ" if value.low.year > 1 else "1990")
            return "", pick.choice(PREFIXES) + text[: pick.choice((4, 7, 10, 20))]
        number = value.value if kind == "number" else value.high if value.low is None else value.low
        text = f"{pick.choice(PREFIXES)}{number}"
        if kind == "quantity" and value.code:
            text += pick.choice(("", f"||{value.code}", f"|{value.system}|{value.code}"))
        return "", text


async def answer(ctx: Ctx, type_: str, query: str) -> list[str]:
    """Every id that the record finds, page after page, in its order."""
    found: list[str] = []
    cursor = ""
    while True:
        page = await records.search(
            ctx, type_, [*_pairs(query), ("_count", "7"), *([("_cursor", cursor)] if cursor else [])]
        )
        found += [entry["id"] for entry in page.entries]
        if page.next is None:
            assert len(found) == len(set(found)), "a page repeats what another has shown"
            return found
        cursor = page.next


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query)


def in_order(shelf: Shelf, type_: str, sort: str, ids: list[str]) -> bool:
    """Whether the ids stand in the order of the sort; those that are alike may stand either way."""
    keys = parse(type_, f"_sort={sort}").sort
    places = [[shelf.place(f"{type_}/{id_}", key) for key in keys] for id_ in ids]
    for one, other in pairwise(places):
        for value, other_value, key in zip(one, other, keys, strict=True):
            if value == other_value:
                continue
            # What has no value comes last, whichever way.
            if value is None or (other_value is not None and (value > other_value) is not key.descending):
                return False
            break
    return True


@pytest.mark.parametrize("seed", [7, 8])
async def test_both_give_the_same_answer(ctx: Ctx, seed: int) -> None:
    await compare(ctx, seed)


async def compare(ctx: Ctx, seed: int) -> None:
    """Ask both the same, hundreds of times."""
    resources = made(seed)
    async with access.work(ctx, "test") as inner:
        for resource in resources:
            await records.create(inner, resource, id=resource["id"])
    shelf = Shelf(resources)
    asker = Asker(shelf, seed)
    asked = filled = 0
    wrong = []
    async with access.work(ctx, "test", readonly=True) as inner:
        for type_ in TYPES:
            for _ in range(QUERIES):
                query = asker.query(type_)
                try:
                    filters = parse(type_, query).filters
                except BadQuery as refused:
                    raise AssertionError(query) from refused
                expected = shelf.search(type_, filters)
                asked += 1
                filled += bool(expected)
                sort = asker.sort(type_) if asker.pick.random() < 0.4 else ""
                listed = await answer(inner, type_, f"{query}&_sort={sort}" if sort else query)
                got = set(listed)
                if got != expected:
                    wrong.append((type_, query, sorted(got - expected), sorted(expected - got)))
                elif sort and not in_order(shelf, type_, sort, listed):
                    wrong.append((type_, query, [sort], listed))
    assert not wrong, f"{len(wrong)} of {asked}: {wrong[:5]}"
    assert filled > asked / 2
