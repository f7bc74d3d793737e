"""Create, read, update, delete, search: the everyday life of a resource."""

from decimal import Decimal
from typing import Any

import pytest

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Gone, NotFound, PreconditionFailed

pytestmark = pytest.mark.engine


def pulse(patient: str, value: str, when: str, code: str = "8867-4") -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": when,
        "valueQuantity": {
            "value": Decimal(value),
            "unit": "beats/minute",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    }


async def test_a_resource_lives(ctx: Ctx) -> None:
    async with access.work(ctx, "test") as inner:
        made = await records.create(
            inner, {"resourceType": "Patient", "name": [{"family": "Núñez", "given": ["José"]}]}
        )
        assert made.created
        assert made.version == 1
        seen = await records.read(inner, "Patient", made.id)
        assert seen["meta"]["versionId"] == "1"
        again = await records.update(inner, seen)
        assert not again.changed
        seen["gender"] = "male"
        second = await records.update(inner, seen, if_match=1)
        assert second.version == 2
        with pytest.raises(PreconditionFailed):
            await records.update(inner, seen, if_match=1)
        assert [v["meta"]["versionId"] for v in await records.history(inner, "Patient", made.id)] == ["2", "1"]
        page = await records.search(inner, "Patient", {"name": "nunez"})
        assert [p["id"] for p in page.entries] == [made.id]
        await records.delete(inner, "Patient", made.id)
        with pytest.raises(Gone):
            await records.read(inner, "Patient", made.id)
        assert (await records.search(inner, "Patient", {"name": "nunez"})).entries == []
        assert len(await records.history(inner, "Patient", made.id)) == 2
        with pytest.raises(NotFound):
            await records.read(inner, "Patient", "nobody")


async def test_the_newest_of_one_code(ctx: Ctx) -> None:
    async with access.work(ctx, "test") as inner:
        for patient in ("anna", "ben"):
            await records.create(inner, {"resourceType": "Patient", "id": patient})
            for n in range(30):
                await records.create(inner, pulse(patient, f"{60 + n}.50", f"2026-01-{n + 1:02}T08:00:00Z"))
        query = {"patient": "anna", "code": "http://loinc.org|8867-4", "_sort": "-date", "_count": "20"}
        page = await records.search(inner, "Observation", query)
        assert [o["valueQuantity"]["value"] for o in page.entries] == [Decimal(f"{89 - n}.50") for n in range(20)]
        assert str(page.entries[0]["valueQuantity"]["value"]) == "89.50"
        assert page.next is not None
        rest = await records.search(inner, "Observation", {**query, "_cursor": page.next})
        assert [o["effectiveDateTime"][8:10] for o in rest.entries] == [f"{10 - n:02}" for n in range(10)]
        assert rest.next is None
