"""$validate: what is wrong is said, by R4, by US Core and by a site's own profile; nothing is kept."""

from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside.access.testing import acting, client, someone
from bedside.fhir.vocabulary import US_CORE
from bedside.foundation.context import Actor, Ctx

pytestmark = pytest.mark.engine


async def judged(http: httpx.AsyncClient, path: str, body: Any = None) -> list[dict[str, Any]]:
    answer = await http.post(path, json=body) if body is not None else await http.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    issues: list[dict[str, Any]] = answer.json()["issue"]
    return issues


def errors(issues: list[dict[str, Any]]) -> set[str]:
    return {one.get("expression", [""])[0] for one in issues if one["severity"] == "error"}


async def test_by_r4(http: httpx.AsyncClient) -> None:
    assert errors(await judged(http, "/Patient/$validate", patient())) == set()
    wrong = await judged(http, "/Patient/$validate", patient(gender="xx", birthDate="1990-02-31"))
    assert errors(wrong) == {"Patient.gender", "Patient.birthDate"}
    assert errors(await judged(http, "/Observation/$validate", patient())) == {"resourceType"}
    assert (await http.get("/Patient?_summary=count")).json()["total"] == 0  # nothing was kept


async def test_by_us_core(http: httpx.AsyncClient) -> None:
    profile = US_CORE + "us-core-heart-rate"
    wish = {
        "resourceType": "Parameters",
        "parameter": [
            {"name": "resource", "resource": pulse("p", code="8310-5")},
            {"name": "profile", "valueUri": profile},
        ],
    }
    assert errors(await judged(http, "/Observation/$validate", wish)) == {"Observation.code"}
    assert errors(await judged(http, f"/Observation/$validate?profile={profile}", pulse("p"))) == set()
    claimed = {**pulse("p", code="8310-5"), "meta": {"profile": [profile]}}
    assert errors(await judged(http, "/Observation/$validate", claimed)) == {"Observation.code"}


async def test_an_unknown_profile_is_said(http: httpx.AsyncClient) -> None:
    asked = await judged(http, "/Patient/$validate?profile=http://x.org/p", patient())
    assert [(one["severity"], one["code"]) for one in asked if one["code"] == "not-found"] == [("error", "not-found")]
    claimed = await judged(http, "/Patient/$validate", patient(meta={"profile": ["http://x.org/p"]}))
    assert [one["severity"] for one in claimed if one["code"] == "not-found"] == ["warning"]


SITE: dict[str, Any] = {
    "resourceType": "StructureDefinition",
    "id": "site-pulse",
    "url": "http://site.org/pulse",
    "name": "SitePulse",
    "status": "active",
    "kind": "resource",
    "abstract": False,
    "type": "Observation",
    "baseDefinition": US_CORE + "us-core-heart-rate",
    "derivation": "constraint",
    "differential": {
        "element": [
            {"id": "Observation", "path": "Observation"},
            {"id": "Observation.device", "path": "Observation.device", "min": 1},
            {
                "id": "Observation.bodySite",
                "path": "Observation.bodySite",
                "min": 1,
                "binding": {"strength": "required", "valueSet": "http://site.org/sites"},
            },
            {
                "id": "Observation.note",
                "path": "Observation.note",
                "constraint": [
                    {"key": "s-1", "severity": "error", "human": "Say who.", "expression": "author.exists()"}
                ],
            },
        ]
    },
}
SITES = {
    "resourceType": "ValueSet",
    "id": "sites",
    "url": "http://site.org/sites",
    "status": "active",
    "compose": {"include": [{"system": "http://site.org/s", "concept": [{"code": "wrist"}]}]},
}


async def test_by_a_profile_of_the_site(http: httpx.AsyncClient) -> None:
    assert (await http.put("/StructureDefinition/site-pulse", json=SITE)).status_code == 201
    path = f"/Observation/$validate?profile={SITE['url']}"
    assert errors(await judged(http, path, pulse("p", code="8310-5"))) == {
        "Observation.code",
        "Observation.device",
        "Observation.bodySite",
    }
    fitting = {
        **pulse("p"),
        "device": {"reference": "Device/d"},
        "bodySite": {"coding": [{"system": "http://site.org/s", "code": "ankle"}]},
    }
    unjudged = await judged(http, path, fitting)
    assert errors(unjudged) == set()
    assert any("not loaded" in one["diagnostics"] for one in unjudged)
    assert (await http.put("/ValueSet/sites", json=SITES)).status_code == 201
    assert errors(await judged(http, path, fitting)) == {"Observation.bodySite"}
    noted = {
        **fitting,
        "note": [{"text": "x"}],
        "bodySite": {"coding": [{"system": "http://site.org/s", "code": "wrist"}]},
    }
    assert errors(await judged(http, path, noted)) == {"Observation.note[0]"}


async def test_what_stands_in_the_record(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/p", json=patient("p"))
    assert errors(await judged(http, "/Patient/p/$validate")) == set()
    path = f"/Patient/p/$validate?profile={US_CORE}us-core-patient"
    assert errors(await judged(http, path)) == {"Patient.identifier", "Patient.gender"}
    assert errors(await judged(http, "/Patient/p/$validate?mode=update", patient("q"))) == {"Patient.id"}
    assert errors(await judged(http, "/Patient/p/$validate?mode=delete")) == set()


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/Patient/$validate", b"{", 400),
        ("/Patient/$validate?mode=wild", b'{"resourceType":"Patient"}', 400),
        ("/Patient/$validate?mode=update", b'{"resourceType":"Patient"}', 400),
        ("/Patient/$validate?foo=1", b'{"resourceType":"Patient"}', 400),
        ("/Patient/$validate", b"", 400),
        ("/Patient/none/$validate", b"", 404),
    ],
)
async def test_refusals(http: httpx.AsyncClient, path: str, body: bytes, status: int) -> None:
    answer = await http.post(path, content=body)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_who_may(ctx: Ctx, door: Door) -> None:
    await someone(ctx, "nurse")
    async with door(ctx.with_(actor=Actor("nobody", "", ""))) as http:
        assert (await http.post("/Patient/$validate", json=patient())).status_code == 401
    async with door(client(ctx, "system/Observation.r")) as http:
        assert (await http.post("/Patient/$validate", json=patient())).status_code == 403
    async with door(acting(ctx, await someone(ctx, "clinician"))) as http:
        assert (await http.post("/Patient/$validate", json=patient())).status_code == 200


async def test_the_answer_as_it_is_asked_for(http: httpx.AsyncClient) -> None:
    answer = await http.post("/Patient/$validate?_pretty=true&_format=json", json=patient())
    assert answer.text.startswith("{\n")
    assert (await http.post("/Patient/$validate?_format=xml", json=patient())).status_code == 406
