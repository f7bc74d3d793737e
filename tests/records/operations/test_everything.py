"""$everything: every resource of the patient, readings too, what they refer to, and nothing of another patient."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse
from tests.records.test_oracle import honest

from bedside import access, records
from bedside.access.testing import acting, client, someone
from bedside.fhir import structure
from bedside.fhir.definitions import compartment, resource_types
from bedside.fhir.testing import Maker
from bedside.foundation.context import Ctx
from bedside.records.service import registry
from bedside.records.service.writing import Draft, write

pytestmark = pytest.mark.engine


async def pages(http: httpx.AsyncClient, url: str | None, *, good: bool = True) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while url:
        answer = await http.get(url)
        assert answer.status_code == 200, answer.text[:1000]
        assert not good or structure.validate(answer.content) == []
        page = answer.json()
        found += [entry["resource"] for entry in page.get("entry", ())]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)
    return found


def named(found: list[dict[str, Any]]) -> set[str]:
    return {f"{one['resourceType']}/{one['id']}" for one in found}


def refers(node: Any, text: str) -> bool:
    if isinstance(node, dict):
        return node.get("reference") == text or any(refers(value, text) for value in node.values())
    return isinstance(node, list) and any(refers(value, text) for value in node)


async def test_an_oracle_over_every_type(ctx: Ctx, http: httpx.AsyncClient) -> None:
    """Made-up resources of all types, of two patients and pointing at each other: each one's own and no more."""
    maker = Maker(7, fullness=0.4)
    made: dict[str, dict[str, Any]] = {}
    async with access.work(ctx, "seed") as inner:
        for id_ in ("p1", "p2"):
            await records.create(inner, patient(id_))
        for type_ in sorted(resource_types() - {"AuditEvent", "Parameters", "Patient", "Bundle", "Consent"}):
            for n in range(3):
                one = maker.resource(type_)
                point(one, f"Patient/p{n % 2 + 1}")
                honest(one)
                one.pop("securityContext", None)  # of a Binary: it would have to be there, and decides whose it is
                one["id"] = f"{type_[:20]}-{n}"
                await write(inner, [Draft("put", type_, one["id"], one, checked=True)])
                made[f"{type_}/{one['id']}"] = one
    for id_, other in (("p1", "p2"), ("p2", "p1")):
        found = await pages(http, f"/Patient/{id_}/$everything?_count=17", good=False)
        names = named(found)
        assert len(names) == len(found)
        assert found[0]["id"] == id_
        async with access.work(ctx, "asked") as inner:
            rows = await inner.sql.fetch("select type, id, patients from records.resource")
        expected = {f"{row['type']}/{row['id']}" for row in rows if id_ in row["patients"]}
        assert expected <= names
        assert not [n for n in names if belongs(made.get(n), n, other) and not belongs(made.get(n), n, id_)]
        # by the definition itself: whatever a compartment parameter's element points at the patient
        direct = {n for n, one in made.items() if points(one, n.partition("/")[0], f"Patient/{id_}")}
        assert direct
        assert direct <= names


def point(one: Any, target: str) -> None:
    """Turn every reference that names a patient to this one."""
    if isinstance(one, dict):
        if str(one.get("reference", "")).startswith("Patient/"):
            one["reference"] = target
        for value in one.values():
            point(value, target)
    elif isinstance(one, list):
        for value in one:
            point(value, target)


def points(one: dict[str, Any], type_: str, target: str) -> bool:
    """Whether subject or patient, where the compartment names them, is the target."""
    codes = set(compartment("Patient").get(type_, ())) & {"patient", "subject"}
    values = [one.get(code) for code in codes]
    return any(isinstance(value, dict) and value.get("reference") == target for value in values)


def belongs(one: dict[str, Any] | None, name: str, patient_id: str) -> bool:
    return name == f"Patient/{patient_id}" or (one is not None and refers(one, f"Patient/{patient_id}"))


@pytest.fixture
async def clinic(ctx: Ctx) -> None:
    """Ada with an encounter, a pulse in it and one outside, by a practitioner; Ben with a pulse."""
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, {"resourceType": "Practitioner", "name": [{"family": "Ito"}]}, id="ito")
        await records.create(inner, {"resourceType": "Practitioner", "name": [{"family": "Fox"}]}, id="fox")
        for id_ in ("ada", "ben"):
            await records.create(inner, patient(id_, birthDate="1950-01-01"))
        encounter = {
            "resourceType": "Encounter",
            "status": "finished",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "VR"},
            "subject": {"reference": "Patient/ada"},
            "period": {"start": "2026-03-01T08:00:00Z", "end": "2026-03-01T09:00:00Z"},
        }
        await records.create(inner, encounter, id="e1")
        seen = {**pulse("ada", 70, "2026-03-01T08:30:00Z"), "encounter": {"reference": "Encounter/e1"}}
        await records.create(inner, {**seen, "performer": [{"reference": "Practitioner/ito"}]}, id="inside")
        await records.create(inner, pulse("ada", 71, "2026-01-01T08:00:00Z"), id="outside")
        await records.create(inner, pulse("ben"), id="bens")


@pytest.mark.usefixtures("clinic")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "Patient/ada Encounter/e1 Observation/inside Observation/outside Practitioner/ito"),
        ("?_type=Observation,Practitioner", "Observation/inside Observation/outside Practitioner/ito"),
        ("?start=2026-02-01", "Patient/ada Encounter/e1 Observation/inside Practitioner/ito"),
        ("?end=2026-01-31", "Patient/ada Observation/outside Practitioner/ito"),
        ("?_since=2100-01-01T00:00:00Z", ""),
    ],
)
async def test_of_a_patient(http: httpx.AsyncClient, query: str, expected: str) -> None:
    assert named(await pages(http, f"/Patient/ada/$everything{query}")) == set(expected.split())


@pytest.mark.usefixtures("clinic")
async def test_of_an_encounter(http: httpx.AsyncClient) -> None:
    found = named(await pages(http, "/Encounter/e1/$everything?_count=1"))
    assert found == {"Encounter/e1", "Patient/ada", "Observation/inside", "Practitioner/ito"}
    assert (await http.get("/Encounter/none/$everything")).status_code == 404


@pytest.mark.usefixtures("clinic")
async def test_what_names_no_patient_is_for_those_who_care(ctx: Ctx, http: httpx.AsyncClient, door: Door) -> None:
    loose = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"url": "http://x.org/1"}}],
        "context": {"encounter": [{"reference": "Encounter/e1"}]},
    }
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, loose, id="loose")
    assert "DocumentReference/loose" in named(await pages(http, "/Encounter/e1/$everything"))
    async with door(acting(ctx, await someone(ctx, "patient", patient="ada"))) as ada:
        found = named(await pages(ada, "/Encounter/e1/$everything"))
        assert "Observation/inside" in found
        assert "DocumentReference/loose" not in found


@pytest.mark.usefixtures("clinic")
async def test_by_post(http: httpx.AsyncClient) -> None:
    wish = {"resourceType": "Parameters", "parameter": [{"name": "_count", "valueInteger": 2}]}
    page = (await http.post("/Patient/ada/$everything", json=wish)).json()
    assert len(page["entry"]) == 2
    following = next(link["url"] for link in page["link"] if link["relation"] == "next")
    assert "_count=2" in following
    assert len(await pages(http, following)) == 3


@pytest.mark.usefixtures("clinic")
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/Patient/ada/$everything?foo=1", 400),
        ("/Patient/ada/$everything?_type=Nothing", 400),
        ("/Patient/ada/$everything?_count=0", 400),
        ("/Patient/ada/$everything?start=yesterday", 400),
        ("/Patient/ada/$everything?_cursor=xx", 400),
        ("/Patient/none/$everything", 404),
        ("/Patient/$everything", 400),
        ("/Observation/inside/$everything", 501),
        ("/Patient/ada/$nothing", 501),
        ("/$everything", 501),
    ],
)
async def test_refusals(http: httpx.AsyncClient, path: str, status: int) -> None:
    answer = await http.get(path)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.usefixtures("clinic")
async def test_who_may(ctx: Ctx, door: Door) -> None:
    ada = acting(ctx, await someone(ctx, "patient", patient="ada"))
    async with door(ada) as http:
        assert "Patient/ada" in named(await pages(http, "/Patient/$everything"))
        assert (await http.get("/Patient/ben/$everything")).status_code == 403
    async with door(acting(ctx, await someone(ctx, "nurse"))) as http:
        assert (await http.get("/Patient/ada/$everything")).status_code == 403
    async with door(client(ctx, "system/Patient.rs", "system/Observation.rs")) as http:
        found = named(await pages(http, "/Patient/ada/$everything"))
        assert found == {"Patient/ada", "Observation/inside", "Observation/outside"}
        assert (await http.get("/Patient/ada/$everything?_type=Encounter")).status_code == 403
    async with access.work(ctx, "asked") as inner:
        lines = await access.who_looked(inner, "ada")
    assert {line.outcome for line in lines if line.action == "read everything of a patient"} == {"allowed", "refused"}


async def test_readings_are_in_it(ctx: Ctx, http: httpx.AsyncClient, readings: Callable[..., Any]) -> None:
    await readings("ada", [datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 8)])
    found = await pages(http, "/Patient/ada/$everything?_count=3")
    assert len([one for one in found if one["id"].startswith("r.")]) == len(found) - 1 == 7
    some = await pages(http, "/Patient/ada/$everything?start=2026-01-02&end=2026-01-03&_type=Observation")
    assert len(some) == 2
    assert registry.provided_types() == ["Observation"]
