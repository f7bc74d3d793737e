"""$document: a composition and all that it refers to, whole or not at all."""

from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import client
from bedside.fhir import structure
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine


def letter(*entries: str) -> dict[str, Any]:
    return {
        "resourceType": "Composition",
        "status": "final",
        "type": {"text": "letter"},
        "date": "2026-01-01",
        "title": "Letter",
        "subject": {"reference": "Patient/ada"},
        "author": [{"reference": "Practitioner/ito"}],
        "section": [{"title": "One", "entry": [{"reference": one} for one in entries]}],
    }


@pytest.fixture(autouse=True)
async def clinic(ctx: Ctx) -> None:
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, patient("ada"))
        await records.create(inner, {"resourceType": "Practitioner", "name": [{"family": "Ito"}]}, id="ito")
        await records.create(inner, pulse("ada"), id="pulse")
        await records.create(inner, letter("Observation/pulse", "Observation/pulse"), id="whole")
        await records.create(inner, letter("Observation/pulse", "Observation/none"), id="half")


async def test_a_whole_one(http: httpx.AsyncClient) -> None:
    answer = await http.get("/Composition/whole/$document")
    assert answer.status_code == 200
    assert structure.validate(answer.content) == []
    made = answer.json()
    assert made["type"] == "document"
    assert [entry["fullUrl"].partition("/fhir/R4/")[2] for entry in made["entry"]] == [
        "Composition/whole",
        "Patient/ada",
        "Practitioner/ito",
        "Observation/pulse",
    ]


async def test_half_a_one_is_refused(http: httpx.AsyncClient, ctx: Ctx, door: Door) -> None:
    answer = await http.get("/Composition/half/$document")
    assert answer.status_code == 422
    assert answer.json()["issue"][0]["expression"] == ["Composition.section[0].entry[1]"]
    assert (await http.get("/Composition/none/$document")).status_code == 404
    assert (await http.get("/Composition/whole/$document?persist=true")).status_code == 400
    async with door(client(ctx, "system/Composition.r", "system/Patient.r", "system/Practitioner.r")) as http2:
        assert (await http2.get("/Composition/whole/$document")).status_code == 403
