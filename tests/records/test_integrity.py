"""References as the site chooses: what deletions leave behind, what is written before its target."""

import asyncio

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse
from tests.records.test_transactions import bundle, entry

from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import Invalid
from bedside.records import settings
from bedside.records.settings import Settings

pytestmark = pytest.mark.engine


async def scene(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    await http.put("/Observation/o1", json={**pulse("ada"), "id": "o1"})


async def test_a_deletion_that_leaves_others_is_refused_naming_them(http: httpx.AsyncClient) -> None:
    await scene(http)
    refused = await http.delete("/Patient/ada")
    assert refused.status_code == 409
    assert "Observation/o1" in refused.json()["issue"][0]["diagnostics"]
    assert (await http.get("/Patient/ada")).status_code == 200
    alone = await http.post("", json=bundle("transaction", entry("DELETE", "Patient/ada")))
    assert alone.status_code == 409
    both = bundle("transaction", entry("DELETE", "Patient/ada"), entry("DELETE", "Observation/o1"))
    assert (await http.post("", json=both)).status_code == 200
    assert (await http.get("/Patient/ada")).status_code == 410


async def test_a_deletion_may_be_done_with_a_warning_or_without(http: httpx.AsyncClient, ctx: Ctx) -> None:
    await scene(http)
    settings.use(ctx.database, Settings(deletions="warn"))
    warned = await http.delete("/Patient/ada")
    assert warned.status_code == 200
    [issue] = warned.json()["issue"]
    assert issue["severity"] == "warning"
    assert "Observation/o1" in issue["diagnostics"]
    assert (await http.get("/Patient/ada")).status_code == 410
    await http.put("/Patient/ada", json=patient("ada"))
    in_bundle = await http.post("", json=bundle("batch", entry("DELETE", "Patient/ada")))
    assert "Observation/o1" in in_bundle.json()["entry"][0]["response"]["outcome"]["issue"][0]["diagnostics"]
    await http.put("/Patient/ada", json=patient("ada"))
    settings.use(ctx.database, Settings(deletions="off"))
    assert (await http.delete("/Patient/ada")).status_code == 204


async def test_a_reference_to_nothing(http: httpx.AsyncClient, ctx: Ctx) -> None:
    assert (await http.post("/Observation", json=pulse("nobody"))).status_code == 201  # R4 allows it, and so do we
    settings.use(ctx.database, Settings(references="warn"))
    warned = await http.post("/Observation", json=pulse("nobody"))
    assert warned.status_code == 201
    assert "Patient/nobody" in warned.headers["warning"]
    told = await http.post("/Observation", json=pulse("nobody"), headers={"prefer": "return=OperationOutcome"})
    assert told.json()["issue"][0]["expression"] == ["Observation.subject.reference"]
    settings.use(ctx.database, Settings(references="enforce"))
    refused = await http.post("/Observation", json=pulse("nobody"))
    assert refused.status_code == 422
    assert refused.json()["issue"][0]["expression"] == ["Observation.subject.reference"]
    assert (await http.get("/Observation?_summary=count")).json()["total"] == 3
    whole = bundle(
        "transaction", entry("POST", "Observation", pulse("ada")), entry("PUT", "Patient/ada", patient("ada"))
    )
    assert (await http.post("", json=whole)).status_code == 200
    elsewhere = pulse("ada") | {"performer": [{"reference": "https://example.org/fhir/Practitioner/1"}]}
    assert (await http.post("/Observation", json=elsewhere)).status_code == 201


async def test_a_deletion_and_a_reference_at_once(http: httpx.AsyncClient, ctx: Ctx) -> None:
    """With both enforced, whoever is second is refused: no reference is left leading to nothing."""
    settings.use(ctx.database, Settings(references="enforce"))
    for n in range(8):
        await http.put(f"/Patient/p{n}", json=patient(f"p{n}"))
        gone, made = await asyncio.gather(http.delete(f"/Patient/p{n}"), http.post("/Observation", json=pulse(f"p{n}")))
        assert (gone.status_code, made.status_code) in {(204, 422), (409, 201)}, (gone.text, made.text)


async def test_conditional_deletion_of_several(http: httpx.AsyncClient, ctx: Ctx) -> None:
    for n in range(3):
        await http.put(f"/Patient/p{n}", json=patient(f"p{n}"))
    assert (await http.delete("/Patient?family=Quist")).status_code == 412
    assert (await http.get("/metadata")).json()["rest"][0]["resource"][0]["conditionalDelete"] == "single"
    settings.use(ctx.database, Settings(many=True))
    assert (await http.get("/metadata")).json()["rest"][0]["resource"][0]["conditionalDelete"] == "multiple"
    assert (await http.delete("/Patient")).status_code == 400
    assert (await http.delete("/Patient?family=Quist", headers={"if-match": 'W/"1"'})).status_code == 412
    assert (await http.delete("/Patient?family=Quist")).status_code == 204
    assert (await http.get("/Patient?_summary=count")).json()["total"] == 0
    assert (await http.delete("/Patient?family=Quist")).status_code == 404
    for n in range(3):
        await http.put(f"/Patient/p{n}", json=patient(f"p{n}"))
    answer = await http.post("", json=bundle("transaction", entry("DELETE", "Patient?family=Quist")))
    assert answer.json()["entry"][0]["response"]["status"][:3] == "204"
    assert (await http.get("/Patient?_summary=count")).json()["total"] == 0


def test_the_words_of_the_environment() -> None:
    assert Settings.of_words("", "", "") == Settings()
    assert Settings.of_words("warn", "enforce", "yes") == Settings(deletions="warn", references="enforce", many=True)
    for words in (("no", "", ""), ("", "x", ""), ("", "", "maybe")):
        with pytest.raises(Invalid):
            Settings.of_words(*words)


async def test_creates_that_share_a_transaction_are_held_to_it_each_for_itself(door: Door, ctx: Ctx) -> None:
    client = ctx.with_(actor=Actor("client", "c1", "a client", scopes=frozenset({"system/*.cruds"})))
    async with door(client) as http:
        await http.put("/Patient/ada", json=patient("ada"))
        for references, strays in (("off", 201), ("warn", 201), ("enforce", 422)):
            settings.use(ctx.database, Settings(references=references))
            who = ["ada", "nobody", "ada", "nobody", "ada"]
            answers = await asyncio.gather(*(http.post("/Observation", json=pulse(one)) for one in who))
            assert [one.status_code for one in answers] == [201 if w == "ada" else strays for w in who]
            assert [("warning" in one.headers) for one in answers] == [
                references == "warn" and w == "nobody" for w in who
            ]
        found = await http.get("/Observation", params={"patient": "nobody", "_summary": "count"})
        assert found.json()["total"] == 4
