"""An oracle: what SQL finds is what a naive evaluation of the same parameter, by FHIRPath over every resource, finds.

The oracle shares no code with the search: the published expression is evaluated by fhirpathpy, the values are taken
apart here by the letter of hl7.org/fhir/R4/search.html, and every resource is looked at.
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import fhirpathpy
import pytest
from fhirpathpy.models import models

from bedside import access, records
from bedside.fhir.definitions import search_parameters
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine

SEED = 20261121
LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
CODES = [
    (LOINC, "8867-4"),
    (LOINC, "8480-6"),
    (LOINC, "718-7"),
    ("http://snomed.info/sct", "718-7"),
    ("urn:local", "x"),
]
NAMES = ["Núñez", "O'Brien", "Nunes", "Ångström", "Ann", "Anna", "de la Cruz", "Li"]
DATES = [
    "2026",
    "2026-01",
    "2026-01-15",
    "2026-01-15T10:00:00Z",
    "2026-01-15T23:30:00-05:00",
    "2025-12-31T23:59:59.5Z",
    "2026-02-28",
]


def concept(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.1:
        return {"text": "only words"}
    codings = [{"system": system, "code": code} for system, code in chance.sample(CODES, chance.randint(1, 2))]
    if chance.random() < 0.1:
        codings.append({"code": "no-system"})
    return {"coding": codings}


def quantity(chance: random.Random) -> dict[str, Any]:
    value = Decimal(chance.randint(-50, 2000)).scaleb(-chance.randint(0, 2))
    made: dict[str, Any] = {
        "value": value,
        "unit": "per minute",
        "system": UCUM,
        "code": chance.choice(["/min", "mg", "g"]),
    }
    return made if chance.random() < 0.8 else {"value": value}


def observation(chance: random.Random, n: int) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "id": f"o{n}",
        "status": chance.choice(["final", "preliminary", "entered-in-error"]),
        "code": concept(chance),
        "subject": chance.choice([{"reference": f"Patient/p{chance.randint(0, 9)}"}, {"reference": "Group/g"}]),
    }
    if chance.random() < 0.8:
        made["effectiveDateTime"] = chance.choice(DATES)
    elif chance.random() < 0.5:
        made["effectivePeriod"] = {"start": chance.choice(DATES[1:4])}
    if chance.random() < 0.7:
        made["valueQuantity"] = quantity(chance)
    elif chance.random() < 0.5:
        made["valueCodeableConcept"] = concept(chance)
    if chance.random() < 0.4:
        made["component"] = [{"code": concept(chance), "valueQuantity": quantity(chance)} for _ in range(2)]
        if any(c in codings(made["code"]) for part in made["component"] for c in codings(part["code"])):
            del made["component"]  # obs-7
    if chance.random() < 0.3:
        made["category"] = [concept(chance)]
    return made


def patient(chance: random.Random, n: int) -> dict[str, Any]:
    made: dict[str, Any] = {"resourceType": "Patient", "id": f"p{n}"}
    if chance.random() < 0.9:
        made["name"] = [{"family": chance.choice(NAMES), "given": [chance.choice(NAMES)]}]
    if chance.random() < 0.8:
        made["birthDate"] = chance.choice(["1980", "1980-02", "1980-02-29", "1979-12-31"])
    if chance.random() < 0.7:
        made["gender"] = chance.choice(["female", "male"])
    if chance.random() < 0.5:
        made["identifier"] = [{"system": chance.choice(["urn:a", "urn:b"]), "value": str(n % 7)}]
    return made


# -- the naive reading of a parameter ------------------------------------------------------------------------------


@cache
def compiled(expression: str) -> Callable[[Any], list[Any]]:
    found: Callable[[Any], list[Any]] = fhirpathpy.compile(expression, models["r4"])
    return found


def plain(value: Any) -> Any:
    """Decimals as floats: the oracle's evaluator knows no others."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return float(value) if isinstance(value, Decimal) else value


_KEPT: dict[tuple[int, str], tuple[dict[str, Any], list[Any]]] = {}


def values(resource: dict[str, Any], code: str) -> list[Any]:
    """As evaluated, once for each resource object: the same is asked many times, and the evaluator is slow."""
    known = _KEPT.get((id(resource), code))
    if known is None:
        known = _KEPT[id(resource), code] = (resource, evaluated(resource, code))  # held, so that its id stays its own
    return known[1]


def evaluated(resource: dict[str, Any], code: str) -> list[Any]:
    type_ = resource["resourceType"]
    parts = [p.strip() for p in search_parameters(type_)[code].expression.split("|")]
    # resolve() needs a server; the narrowing to Patient is done by the text of the reference below.
    mine = [p for p in parts if p.lstrip("(").startswith((f"{type_}.", "Resource."))]
    narrow = any("resolve()" in p for p in mine)
    found = [v for p in mine for v in compiled(p.partition(".where(resolve()")[0])(resource)]
    return [v for v in found if not narrow or v.get("reference", "").startswith("Patient/")]


def spans(value: Any) -> tuple[datetime, datetime]:
    if isinstance(value, dict):
        low = moments(value["start"])[0] if "start" in value else datetime.min.replace(tzinfo=UTC)
        return low, moments(value["end"])[1] if "end" in value else datetime.max.replace(tzinfo=UTC)
    return moments(str(value))


def moments(text: str) -> tuple[datetime, datetime]:
    if len(text) == 4:
        return datetime(int(text), 1, 1, tzinfo=UTC), datetime(int(text) + 1, 1, 1, tzinfo=UTC)
    if len(text) == 7:
        year, month = int(text[:4]), int(text[5:])
        return datetime(year, month, 1, tzinfo=UTC), datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    low = datetime.fromisoformat(text)
    if len(text) == 10:
        low = low.replace(tzinfo=UTC)
        return low, low + timedelta(days=1)
    return low, low + timedelta(seconds=0.1 if "." in text else 1)


def codings(value: Any) -> list[tuple[str, str]]:
    if isinstance(value, str):
        return [("", value)]
    if "value" in value and "coding" not in value:
        return [(value.get("system", ""), value["value"])]
    return [
        (c.get("system", ""), c["code"]) for c in value.get("coding", [value] if "code" in value else []) if "code" in c
    ]


def match_token(value: Any, sought: str) -> bool:
    system, bar, code = sought.rpartition("|")
    return any((not bar or s == system) and (not code or c == code) for s, c in codings(value))


def match_date(value: Any, sought: str) -> bool:
    prefix, text = (sought[:2], sought[2:]) if sought[:2].isalpha() else ("eq", sought)
    (low, high), (a, b) = spans(value), moments(text)
    inside = low >= a and high <= b
    return {
        "eq": inside, "ne": not inside, "gt": high > b, "lt": low < a,
        "ge": high > b or inside, "le": low < a or inside, "sa": low >= b, "eb": high <= a,
    }[prefix]  # fmt: skip


def match_quantity(value: Any, sought: str) -> bool:
    if not isinstance(value, dict) or "value" not in value:
        return False
    text, system, code = [*sought.split("|"), "", ""][:3]
    prefix, text = (text[:2], text[2:]) if text[:2].isalpha() else ("eq", text)
    number, value_ = Decimal(text), Decimal(str(value["value"]))
    if code == "g" and system:  # UCUM: g and mg are of one kind
        factor = {"g": Decimal(1), "mg": Decimal("0.001")}.get(value.get("code", ""))
        if factor is None:
            return False
        value_ *= factor
    elif system:
        if (value.get("system"), value.get("code")) != (system, code):
            return False
    elif code and code not in (value.get("code"), value.get("unit")):
        return False
    half = Decimal(1).scaleb(int(number.as_tuple().exponent)) / 2
    inside = number - half <= value_ < number + half
    return {
        "eq": inside, "ne": not inside, "gt": value_ > number, "lt": value_ < number,
        "ge": value_ >= number, "le": value_ <= number,
    }[prefix]  # fmt: skip


def match_composite(resource: dict[str, Any], code: str, sought: str) -> bool:
    """Code and quantity together, in the resource or in one of its components."""
    wanted, quantity_ = sought.split("$")
    places = [] if code.startswith("component-") else [resource]
    places += [] if code.startswith("code-") else resource.get("component", [])
    return any(
        "valueQuantity" in place
        and match_token(place["code"], wanted)
        and match_quantity(place["valueQuantity"], quantity_)
        for place in places
    )


FOLDED = dict(zip(NAMES, ["nunez", "o'brien", "nunes", "angstrom", "ann", "anna", "de la cruz", "li"], strict=True))


def texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [value["family"], *value["given"]]


def naive(resource: dict[str, Any], name: str, sought: str) -> bool:
    code, _, modifier = name.partition(":")
    kind = search_parameters(resource["resourceType"])[code].type
    if kind == "composite":
        return any(match_composite(resource, code, one) for one in sought.split(","))
    found = values(resource, code)
    if modifier == "missing":
        return (not found) == (sought == "true")
    each = sought.split(",")
    match kind:
        case "token":
            hit = any(match_token(v, one) for v in found for one in each)
            return not hit if modifier == "not" else hit
        case "date":
            return any(match_date(v, one) for v in found for one in each)
        case "quantity":
            return any(match_quantity(v, one) for v in found for one in each)
        case "reference":
            ends = {v["reference"] for v in found}
            return any(one in ends or any("/" not in one and end.endswith(f"/{one}") for end in ends) for one in each)
        case "string":
            words = [text for v in found for text in texts(v)]
            if modifier == "exact":
                return any(word in each for word in words)
            if modifier == "contains":
                return any(one in FOLDED[word] for word in words for one in each)
            return any(FOLDED[word].startswith(one) for word in words for one in each)
    raise AssertionError(kind)


def queries(chance: random.Random) -> list[tuple[str, list[tuple[str, str]]]]:
    tokens = [f"{s}|{c}" for s, c in CODES] + [c for _, c in CODES] + ["|no-system", f"{LOINC}|", "nothing"]
    prefixes = ["", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb"]

    def of_observation() -> tuple[str, str]:
        match chance.randint(0, 9):
            case 0 | 1:
                name = chance.choice(["code", "component-code", "combo-code", "category", "value-concept"])
                if chance.random() < 0.2:
                    return f"{name}:missing", chance.choice(["true", "false"])
                picked = ",".join(chance.sample(tokens, chance.randint(1, 2)))
                return (f"{name}:not" if chance.random() < 0.2 else name), picked
            case 2 | 3:
                if chance.random() < 0.1:
                    return "date:missing", chance.choice(["true", "false"])
                return "date", chance.choice(prefixes) + chance.choice(DATES)
            case 4 | 5:
                number = chance.choice(["5", "10.0", "7.25", "1000", "-3", "0.5"])
                unit = chance.choice(["", f"|{UCUM}|/min", "||mg", f"|{UCUM}|g", "||per minute"])
                name = chance.choice(["value-quantity", "component-value-quantity", "combo-value-quantity"])
                sought = chance.choice(prefixes[:7]) + number + unit
                if chance.random() < 0.4:
                    name = chance.choice(
                        ["code-value-quantity", "component-code-value-quantity", "combo-code-value-quantity"]
                    )
                    sought = f"{chance.choice(tokens)}${sought}"
                return name, sought
            case 6 | 7:
                name = chance.choice(["patient", "subject", "subject"])
                who = f"p{chance.randint(0, 11)}"
                return name, chance.choice([who, f"Patient/{who}", "Group/g"] if name == "subject" else [who])
            case 8:
                return "status", chance.choice(["final", "final,preliminary", "nothing"])
            case _:
                return "patient:missing", chance.choice(["true", "false"])

    def of_patient() -> tuple[str, str]:
        match chance.randint(0, 4):
            case 0 | 1:
                name = chance.choice(["name", "family", "given"])
                if chance.random() < 0.3:
                    return f"{name}:exact", chance.choice(NAMES)
                if chance.random() < 0.3:
                    return f"{name}:contains", chance.choice(["un", "n", "cruz", "zz"])
                return name, chance.choice(["nun", "ann", "o'", "an", "de l", "zz", "nun,li"])
            case 2:
                return "birthdate", chance.choice(prefixes) + chance.choice(["1980", "1980-02-29", "1979-12"])
            case 3:
                return chance.choice(["gender", "gender:not"]), "female"
            case _:
                return "identifier", chance.choice(["3", "urn:a|3", "urn:b|", "|3"])

    made = []
    for _ in range(400):
        maker, type_ = (of_observation, "Observation") if chance.random() < 0.7 else (of_patient, "Patient")
        made.append((type_, [maker() for _ in range(chance.randint(1, 3))]))
    return made


async def test_sql_finds_what_a_naive_reading_finds(ctx: Ctx) -> None:
    chance = random.Random(SEED)
    made = [patient(chance, n) for n in range(60)] + [observation(chance, n) for n in range(300)]
    async with access.work(ctx, "oracle") as inner:
        bundle = [
            {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}}
            for r in [{"resourceType": "Group", "id": "g", "type": "person", "actual": True}, *made]
        ]
        await records.transact(inner, {"resourceType": "Bundle", "type": "transaction", "entry": bundle})
        oracle = [plain(r) for r in made]
        hits = 0
        for type_, params in queries(chance):
            page = await records.search(inner, type_, [*params, ("_count", "1000")])
            found = sorted(one["id"] for one in page.entries)
            wanted = sorted(
                r["id"] for r in oracle if r["resourceType"] == type_ and all(naive(r, n, v) for n, v in params)
            )
            assert found == wanted, (type_, params)
            hits += len(found)
        assert hits > 5000  # the questions were not all about nothing


async def test_chains_and_has(ctx: Ctx) -> None:
    chance = random.Random(SEED + 1)
    people = [patient(chance, n) for n in range(12)]
    readings = [observation(chance, n) for n in range(100)]
    async with access.work(ctx, "oracle") as inner:
        for one in [*people, *readings]:
            await records.create(inner, one)
        oracle = [plain(r) for r in readings]
        whose = {r["id"]: r["subject"]["reference"].removeprefix("Patient/") for r in oracle}
        for name, sought in [("name", "nun"), ("gender", "female"), ("birthdate", "lt1980"), ("identifier", "urn:a|3")]:
            ids = {p["id"] for p in (plain(p) for p in people) if naive(p, name, sought)}
            for chain in (f"patient.{name}", f"subject:Patient.{name}"):
                page = await records.search(inner, "Observation", [(chain, sought), ("_count", "1000")])
                assert sorted(o["id"] for o in page.entries) == sorted(o for o, who in whose.items() if who in ids)
        known = {p["id"] for p in people}
        for name, sought in [("code", f"{LOINC}|8867-4"), ("status", "final"), ("date", "gt2026-01-15")]:
            ids = {whose[r["id"]] for r in oracle if naive(r, name, sought)} & known
            page = await records.search(
                inner, "Patient", [(f"_has:Observation:patient:{name}", sought), ("_count", "1000")]
            )
            assert sorted(p["id"] for p in page.entries) == sorted(ids)
