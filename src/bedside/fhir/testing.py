"""Resources made up from the definitions, for tests: of any type, well structured, every choice and datatype met.

They keep R4's structure, code sets and reference targets; invariants they may break.
"""

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bedside.fhir.definitions import CodeSet, Element, code_set, resource_types, table

_WORDS = ("Ångström", "Smith", "O'Brien", "Łódź", "müller", "李", "x", "two words", "a,b|c$d")
_UNITS = ("mg", "kg", "mm[Hg]", "/min", "Cel", "[degF]", "mmol/L", "{score}", "furlong")
_SYSTEMS = ("http://loinc.org", "http://snomed.info/sct", "http://x.org/system")


class Maker:
    """Makes resources from a seed. fullness: how likely an optional element is given."""

    def __init__(self, seed: int, *, fullness: float = 0.25, depth: int = 4) -> None:
        self._random = random.Random(seed)  # noqa: S311  test data
        self._fullness = fullness
        self._depth = depth

    def resource(self, type_: str) -> dict[str, Any]:
        """A resource of the type, with an id."""
        made = {"resourceType": type_, "id": self._id(), **self._object(type_, self._depth)}
        made.pop("contained", None)
        return made

    def _object(self, name: str, depth: int) -> dict[str, Any]:
        described = table(name)
        if described is None:
            raise LookupError(name)
        made: dict[str, Any] = {}
        chosen = self._choices(described.elements)
        for key, element in described.elements.items():
            if key in ("id", "contained") or (element.choice and chosen.get(element.choice) != key):
                continue
            if element.type in ("Extension", "Narrative", "Resource", "Meta") and not element.min:
                continue
            wanted = element.min > 0 or (depth > 0 and self._random.random() < self._fullness)
            if wanted and (value := self._value(element, depth - 1)) is not None:
                made[key] = value
        if not made:  # an element must have something in it
            made = self._something(described.elements)
        return made

    def _choices(self, elements: dict[str, Element]) -> dict[str, str]:
        stems: dict[str, list[str]] = {}
        for key, element in elements.items():
            if element.choice:
                stems.setdefault(element.choice, []).append(key)
        return {stem: self._random.choice(keys) for stem, keys in stems.items()}

    def _something(self, elements: dict[str, Element]) -> dict[str, Any]:
        others = [it for key, it in elements.items() if key != "id" and it.type not in ("Extension", "Resource")]
        element = min(others, key=lambda it: (it.type[0].isupper(), it.name))  # a single value if there is one
        one = self._one(element, 0)
        return {element.name: [one] if element.many else one}

    def _value(self, element: Element, depth: int) -> Any:
        if element.type == "Resource":
            return None
        if not element.many:
            return self._one(element, depth)
        count = self._random.choice((1, 1, 2, 3)) if depth > 0 else 1
        return [self._one(element, depth) for _ in range(count)]

    def _one(self, element: Element, depth: int) -> Any:
        if element.type[0].islower():
            return self._primitive(element)
        if element.type == "Reference":
            return self._reference(element)
        if element.type == "Quantity":
            return self._quantity()
        if element.type in ("CodeableConcept", "Coding"):
            coding = self._coding(None if element.binding is None else code_set(element.binding))
            return coding if element.type == "Coding" else {"coding": [coding], "text": self._word()}
        if element.type == "Extension":
            return {"url": "http://x.org/e", "valueString": self._word()}
        return self._object(element.type, depth)

    def _reference(self, element: Element) -> dict[str, Any]:
        target = self._random.choice(element.targets or sorted(resource_types()))
        form = self._random.randrange(6)
        if form == 0:
            return {"type": target, "identifier": {"system": "http://x.org/ids", "value": self._id()}}
        server = "http://x.org/fhir/" if form == 1 else ""
        version = "/_history/1" if form == 2 else ""
        return {"reference": f"{server}{target}/{self._id()}{version}"}

    def _coding(self, allowed: CodeSet | None) -> dict[str, Any]:
        if allowed is None or not allowed.systems:
            return {"system": self._random.choice(_SYSTEMS), "code": self._id(), "display": self._word()}
        system = self._random.choice(sorted(allowed.systems))
        return {"system": system, "code": self._random.choice(sorted(allowed.systems[system]))}

    def _quantity(self) -> dict[str, Any]:
        unit = self._random.choice(_UNITS)
        return {"value": self._decimal(), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}

    def _primitive(self, element: Element) -> Any:
        if element.binding is not None:
            allowed = sorted(code_set(element.binding).codes)
            return self._random.choice(allowed) if allowed else "text/plain"
        kind, pick = element.type, self._random
        makers: dict[str, Callable[[], Any]] = {
            "boolean": lambda: pick.random() < 0.5,
            "integer": lambda: pick.randint(0, 100),
            "unsignedInt": lambda: pick.randint(0, 100),
            "positiveInt": lambda: pick.randint(1, 100),
            "decimal": self._decimal,
            "date": lambda: self._day()[: pick.choice((4, 7, 10))],
            "dateTime": lambda: pick.choice((self._day()[:7], self._moment())),
            "instant": self._moment,
            "time": lambda: f"{pick.randrange(24):02}:30:00",
            "id": self._id,
            "code": self._id,
            "uri": lambda: f"http://x.org/{self._id()}",
            "url": lambda: f"http://x.org/{self._id()}",
            "canonical": lambda: f"http://x.org/{self._id()}" + pick.choice(("", "|1.0")),
            "oid": lambda: "urn:oid:1.2.3",
            "uuid": lambda: "urn:uuid:0189f3c2-7a52-7d5a-9a1a-000000000000",
            "base64Binary": lambda: "aGk=",
            "xhtml": lambda: '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
        }
        return makers.get(kind, self._word)()

    def _word(self) -> str:
        return self._random.choice(_WORDS)

    def _id(self) -> str:
        return f"{self._random.randrange(40)}"

    def _decimal(self) -> Decimal:
        return Decimal(self._random.randrange(-2000, 20000)).scaleb(-self._random.randrange(3))

    def _day(self) -> str:
        return f"{self._random.randint(1990, 2030)}-{self._random.randint(1, 12):02}-{self._random.randint(1, 28):02}"

    def _moment(self) -> str:
        pick = self._random
        zone = pick.choice(("Z", "+05:30", "-08:00"))
        fraction = pick.choice(("", ".5", ".123"))
        return f"{self._day()}T{pick.randrange(24):02}:{pick.randrange(60):02}:{pick.randrange(60):02}{fraction}{zone}"
