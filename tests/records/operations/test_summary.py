"""$summary: an International Patient Summary with its three required sections, which never say "none" by mistake."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import acting, client, someone
from bedside.fhir import structure
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine

REQUIRED = {"11450-4", "48765-2", "10160-0"}
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
ALLERGIC = "http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical"


def concept(code: str, system: str = "http://loinc.org") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def condition(text: str, status: str) -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "clinicalStatus": concept(status, CLINICAL),
        "code": {"text": text},
        "subject": {"reference": "Patient/ada"},
    }


async def document(http: httpx.AsyncClient, path: str = "/Patient/ada/$summary") -> dict[str, Any]:
    """The document, once it keeps to what IPS 2.0.1 demands of the Bundle, the Composition and each section."""
    answer = await http.get(path)
    assert answer.status_code == 200, answer.text[:2000]
    assert structure.validate(answer.content) == []
    made: dict[str, Any] = answer.json()
    assert made["type"] == "document"
    assert made["identifier"]["system"]
    assert made["identifier"]["value"]
    assert made["timestamp"]
    urls = [entry["fullUrl"] for entry in made["entry"]]
    assert len(set(urls)) == len(urls)
    composition = made["entry"][0]["resource"]
    assert composition["resourceType"] == "Composition"
    assert composition["status"] == "final"
    assert composition["type"]["coding"][0] == {
        "system": "http://loinc.org",
        "code": "60591-5",
        "display": "Patient summary Document",
    }
    assert composition["title"]
    assert composition["date"]
    assert {composition["subject"]["reference"], *(one["reference"] for one in composition["author"])} <= set(urls)
    assert {section["code"]["coding"][0]["code"] for section in composition["section"]} >= REQUIRED
    for section in composition["section"]:
        assert section["title"]
        assert section["text"]["div"]
        assert ("entry" in section) is not ("emptyReason" in section)
        assert {one["reference"] for one in section.get("entry", ())} <= set(urls)
    return made


def sections(made: dict[str, Any]) -> dict[str, Any]:
    """Code to the ids of the entries, or the reason why there are none."""
    found: dict[str, Any] = {}
    for section in made["entry"][0]["resource"]["section"]:
        entries = [one["reference"].rpartition("/")[2] for one in section.get("entry", ())]
        found[section["code"]["coding"][0]["code"]] = entries or section["emptyReason"]["coding"][0]["code"]
    return found


async def test_nothing_recorded_is_unavailable(ctx: Ctx, http: httpx.AsyncClient) -> None:
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, patient("ada"))
    assert sections(await document(http)) == dict.fromkeys(REQUIRED, "unavailable")


async def test_none_known_only_where_it_was_recorded(ctx: Ctx, http: httpx.AsyncClient) -> None:
    def nil(code: str, whose: str) -> dict[str, Any]:
        reason = concept("nilknown", "http://terminology.hl7.org/CodeSystem/list-empty-reason")
        return {
            "resourceType": "List",
            "status": "current",
            "mode": "working",
            "code": concept(code),
            "subject": {"reference": f"Patient/{whose}"},
            "emptyReason": reason,
        }

    none = {
        "resourceType": "AllergyIntolerance",
        "clinicalStatus": concept("active", ALLERGIC),
        "code": concept("716186003", "http://snomed.info/sct"),
        "patient": {"reference": "Patient/ada"},
    }
    async with access.work(ctx, "seed") as inner:
        for id_ in ("ada", "ben"):
            await records.create(inner, patient(id_))
        await records.create(inner, nil("10160-0", "ada"))
        await records.create(inner, nil("11450-4", "ben"))
        await records.create(inner, none, id="none")
    assert sections(await document(http)) == {"11450-4": "unavailable", "48765-2": ["none"], "10160-0": "nilknown"}
    async with access.work(ctx, "seed") as inner:
        drug = {
            "resourceType": "MedicationStatement",
            "status": "active",
            "medicationCodeableConcept": {"text": "aspirin"},
            "subject": {"reference": "Patient/ada"},
        }
        await records.create(inner, drug, id="drug")
    assert sections(await document(http))["10160-0"] == ["drug"]  # what is there stands above what a list says


async def test_what_goes_where(ctx: Ctx, http: httpx.AsyncClient, readings: Callable[..., Any]) -> None:
    await readings("ada", [datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3)])
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, patient("ben"))
        await records.create(inner, condition("<b>asthma</b>", "active"), id="asthma")
        await records.create(inner, condition("measles", "resolved"), id="measles")
        wrong = condition("gout", "active")
        wrong["verificationStatus"] = concept("refuted", "http://terminology.hl7.org/CodeSystem/condition-ver-status")
        await records.create(inner, wrong, id="gout")
        await records.create(
            inner, {**condition("other", "active"), "subject": {"reference": "Patient/ben"}}, id="bens"
        )
        await records.create(inner, {"resourceType": "Medication", "code": {"text": "aspirin"}}, id="aspirin")
        order = {
            "resourceType": "MedicationRequest",
            "intent": "order",
            "medicationReference": {"reference": "Medication/aspirin"},
            "subject": {"reference": "Patient/ada"},
        }
        await records.create(inner, {**order, "status": "active"}, id="now")
        await records.create(inner, {**order, "status": "stopped"}, id="before")
        await records.create(inner, pulse("ada", 36.6, "2026-01-01", code="8310-5"), id="temperature")
    made = await document(http)
    assert sections(made) == {
        "11450-4": ["asthma"],
        "48765-2": "unavailable",
        "10160-0": ["now"],
        "8716-3": ["temperature", "r.ada.2"],
        "11348-0": ["measles"],
    }
    assert any(entry["fullUrl"].endswith("/Medication/aspirin") for entry in made["entry"])
    assert "bens" not in str(made)
    problems = made["entry"][0]["resource"]["section"][0]["text"]["div"]
    assert "&lt;b&gt;asthma" in problems


async def test_who_may(ctx: Ctx, door: Door) -> None:
    async with access.work(ctx, "seed") as inner:
        for id_ in ("ada", "ben"):
            await records.create(inner, patient(id_))
        await records.create(inner, condition("asthma", "active"), id="asthma")
    async with door(client(ctx, "system/Patient.rs", "system/AllergyIntolerance.rs")) as http:
        found = sections(await document(http))
        assert found == {"11450-4": "withheld", "48765-2": "unavailable", "10160-0": "withheld"}
    async with door(acting(ctx, await someone(ctx, "patient", patient="ada"))) as http:
        assert sections(await document(http))["11450-4"] == ["asthma"]
        assert (await http.get("/Patient/ben/$summary")).status_code == 403
    async with door(ctx) as http:
        assert (await http.get("/Patient/none/$summary")).status_code == 404
        assert (await http.get("/Patient/ada/$summary?profile=http://x.org/p")).status_code == 400
        assert (await http.get("/Observation/x/$summary")).status_code == 501
