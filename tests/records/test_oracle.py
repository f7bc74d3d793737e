"""The SQL engine and a naive look at every resource give the same answer, for made-up resources and queries."""

import random
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest
from tests.records.naive import Shelf

from bedside import access, records
from bedside.fhir import definitions, structure
from bedside.fhir.grammar import BadQuery, parse
from bedside.fhir.testing import Maker
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine

TYPES = (
    *("Patient", "Observation", "Encounter", "Condition", "Organization", "Practitioner", "Procedure", "CareTeam"),
    *("Location", "RiskAssessment", "DiagnosticReport", "Substance", "Schedule", "ValueSet", "Group"),
)
EACH = 12
QUERIES = 25
PREFIXES = ("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")


def made(seed: int) -> list[dict[str, Any]]:
    """Some resources of each type that keep every rule."""
    found = []
    for type_ in TYPES:
        count, turn = 0, 0
        while count < EACH and turn < 400:
            turn += 1
            maker = Maker(seed * 100_000 + turn, fullness=0.15 if turn % 2 else 0.35, depth=3)
            resource = {**maker.resource(type_), "id": str(count)}
            if not structure.validate(resource):
                found.append(resource)
                count += 1
        assert count == EACH, f"{type_}: too few that keep every rule"
    return found


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
                modifier, text = self.written(parameter.type, self.pick.choice(values))
                return f"{parameter.code}{modifier}={quote(text)}"
        return ""

    def parameter(self, type_: str) -> definitions.SearchParameter:
        known = definitions.search_parameters(type_).values()
        return self.pick.choice([p for p in known if p.code[0] != "_" and p.type not in ("composite", "special")])

    def chained(self, type_: str) -> str:
        links = [p for p in definitions.search_parameters(type_).values() if p.type == "reference"]
        if not links:
            return ""
        link = self.pick.choice(links)
        targets = [target for target in link.targets if target in TYPES]
        if not targets:
            return ""
        target = self.pick.choice(targets)
        inner = self.condition(target)
        return f"{link.code}:{target}.{inner}" if inner else ""

    def reverse(self, type_: str) -> str:
        source = self.pick.choice(TYPES)
        links = [
            p for p in definitions.search_parameters(source).values() if p.type == "reference" and type_ in p.targets
        ]
        inner = self.condition(source)
        return f"_has:{source}:{self.pick.choice(links).code}:{inner}" if links and inner else ""

    def written(self, kind: str, value: Any) -> tuple[str, str]:
        """A modifier and a value that a resource's value might be found by."""
        pick = self.pick
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


async def answer(ctx: Ctx, type_: str, query: str) -> set[str]:
    """Every id that the record finds, page after page."""
    found: list[str] = []
    cursor = ""
    while True:
        page = await records.search(
            ctx, type_, [*_pairs(query), ("_count", "7"), *([("_cursor", cursor)] if cursor else [])]
        )
        found += [entry["id"] for entry in page.entries]
        if page.next is None:
            assert len(found) == len(set(found)), "a page repeats what another has shown"
            return set(found)
        cursor = page.next


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query)


@pytest.mark.parametrize("seed", [1, 2])
async def test_both_give_the_same_answer(ctx: Ctx, seed: int) -> None:
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
                got = await answer(inner, type_, query)
                if got != expected:
                    wrong.append((type_, query, sorted(got - expected), sorted(expected - got)))
    assert not wrong, f"{len(wrong)} of {asked}: {wrong[:5]}"
    assert filled > asked / 2
