"""Headers, formats, packing, conditional reads, history as it stood, and many at once."""

import asyncio
import gzip
import json
from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import pytest
from tests.records.resources import patient, pulse
from tests.records.test_transactions import bundle, entry

from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.records.service import conditional, reading

pytestmark = pytest.mark.engine


def ids(answer: httpx.Response) -> list[str]:
    return [f"{e['resource']['id']}/{e['resource']['meta']['versionId']}" for e in answer.json().get("entry", ())]


async def test_a_read_of_what_is_known(http: httpx.AsyncClient, clock: TurnableClock) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    read = await http.get("/Patient/ada")
    for known in ('W/"1"', '"1"', 'W/"7", W/"1"', "*"):
        answer = await http.get("/Patient/ada", headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b""), known
    since = {"if-modified-since": read.headers["last-modified"]}
    assert (await http.get("/Patient/ada", headers=since)).status_code == 304
    assert (await http.get("/Patient/ada", headers={**since, "if-none-match": 'W/"9"'})).status_code == 200
    bad = await http.get("/Patient/ada", headers={"if-modified-since": "yesterday"})
    assert bad.status_code == 400
    clock.turn(timedelta(seconds=5))
    await http.put("/Patient/ada", json=patient("ada", gender="female"))
    assert (await http.get("/Patient/ada", headers=since)).status_code == 200
    looks = [
        entry("GET", "Patient/ada", ifNoneMatch='W/"2"'),
        entry("GET", "Patient/ada", ifNoneMatch='W/"1"'),
        entry("GET", "Patient/ada", ifModifiedSince="2026-12-01T00:00:00Z"),
    ]
    answer = (await http.post("", json=bundle("batch", *looks))).json()
    assert [one["response"]["status"][:3] for one in answer["entry"]] == ["304", "200", "304"]
    assert ["resource" in one for one in answer["entry"]] == [False, True, False]


async def test_an_instance_history_goes_on_page_by_page(http: httpx.AsyncClient, clock: TurnableClock) -> None:
    for n in range(7):
        clock.turn(timedelta(minutes=1))
        await http.put("/Patient/ada", json=patient("ada", birthDate=f"195{n}-01-01"))
    first = (await http.get("/Patient/ada/_history?_count=3")).json()
    assert first["total"] == 7
    seen = [e["resource"]["meta"]["versionId"] for e in first["entry"]]
    await http.delete("/Patient/ada")  # versions that come meanwhile move no page
    page, links = first, {link["relation"]: link["url"] for link in first["link"]}
    while "next" in links:
        page = (await http.get(links["next"])).json()
        seen += [e["resource"]["meta"]["versionId"] for e in page["entry"]]
        links = {link["relation"]: link["url"] for link in page["link"]}
    assert seen == list("7654321")
    assert page["total"] == 8
    newest = (await http.get("/Patient/ada/_history?_count=1")).json()["entry"][0]
    assert (newest["request"]["method"], "resource" in newest) == ("DELETE", False)
    at = (await http.get("/Patient/ada/_history/4")).json()["meta"]["lastUpdated"]
    since = (await http.get("/Patient/ada/_history", params={"_since": at, "_count": "2"})).json()
    assert since["total"] == 5
    stood = (await http.get("/Patient/ada/_history", params={"_at": at})).json()
    assert [e["resource"]["meta"]["versionId"] for e in stood["entry"]] == ["4"]
    nothing = (await http.get("/Patient/ada/_history?_count=0")).json()
    assert (nothing["total"], "entry" in nothing) == (8, False)
    assert (await http.get("/Patient/ada/_history?_cursor=x")).status_code == 400
    assert (await http.get("/Patient/nobody/_history?_count=1")).status_code == 404


async def test_a_page_of_history_reads_no_more_than_its_versions(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(6):
        await http.put("/Patient/ada", json=patient("ada", birthDate=f"195{n}-01-01"))
    made: list[int] = []
    stored = reading.stored
    monkeypatch.setattr(reading, "stored", lambda row: made.append(row["version"]) or stored(row))
    assert ids(await http.get("/Patient/ada/_history?_count=2")) == ["ada/6", "ada/5"]
    assert made == [6, 5, 4]


async def test_values_that_are_missing_within_a_list(http: httpx.AsyncClient) -> None:
    why = {"extension": [{"url": "urn:why", "valueCode": "masked"}]}
    name = {"family": "Quist", "given": [None, "Ada", "Bo"], "_given": [why, None, {"id": "second"}]}
    address = {"line": [None, "12 Long Street"], "_line": [why, None]}
    sent = patient("ada", name=[name], address=[address], birthDate="1950-04-12")
    assert (await http.put("/Patient/ada", json=sent)).status_code == 201
    read = (await http.get("/Patient/ada")).json()
    assert (read["name"], read["address"]) == ([name], [address])
    assert (await http.put("/Patient/ada", json=read)).headers["etag"] == 'W/"1"'
    assert ids(await http.get("/Patient?given=ada")) == ["ada/1"]
    assert not ids(await http.get("/Patient?name=none"))
    asked = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": sent}]}
    assert (await http.post("/Patient/$match", json=asked)).json()["total"] == 1
    step = [{"op": "add", "path": "/name/0/given/-", "value": "Cy"}]
    uneven = await http.patch("/Patient/ada", json=step, headers={"content-type": "application/json-patch+json"})
    assert uneven.status_code == 422


async def test_prefer_in_bundles(http: httpx.AsyncClient) -> None:
    sent = bundle("transaction", entry("POST", "Patient", patient()))
    for wish, key in (("representation", "resource"), ("OperationOutcome", "outcome"), ("minimal", None)):
        answer = (await http.post("", json=sent, headers={"prefer": f"return={wish}"})).json()["entry"][0]
        assert ("resource" in answer) is (key == "resource")
        assert ("outcome" in answer["response"]) is (key == "outcome")


async def test_pretty_and_formats(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada?_pretty=true", json=patient("ada"))
    for path in ("/Patient/ada", "/Patient", "/Patient/ada/_history", "/metadata", "/Patient/nobody", "/Patient?x=1"):
        mark = "&" if "?" in path else "?"
        pretty = await http.get(f"{path}{mark}_pretty=true")
        assert b'{\n  "resourceType"' in pretty.content, path
    for wish in ("json", "application/json", "application/fhir+json", "application/fhir%2Bjson"):
        assert (await http.get(f"/Patient/ada?_format={wish}")).status_code == 200, wish
    for wish in ("xml", "application/fhir%2Bxml", "ttl", "nonsense"):
        refused = await http.get(f"/Patient/ada?_format={wish}")
        assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (406, ["_format"]), wish
    refused = await http.get("/Patient/ada", headers={"accept": "application/fhir+xml"})
    assert (refused.status_code, refused.json()["issue"][0]["expression"]) == (406, ["Accept"])


async def test_packed_both_ways(http: httpx.AsyncClient) -> None:
    packed = {"content-encoding": "gzip"}
    body = gzip.compress(json.dumps(patient("ada")).encode())
    assert (await http.put("/Patient/ada", content=body, headers=packed)).status_code == 201
    for n in range(10):
        await http.put(f"/Observation/o{n}", json={**pulse("ada", n), "id": f"o{n}"})
    plain = await http.get("/Observation", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    small = await http.get("/Observation", headers={"accept-encoding": "gzip"})
    assert (small.headers["content-encoding"], small.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert int(small.headers["content-length"]) < len(plain.content) / 3
    assert small.json()["entry"] == plain.json()["entry"]
    head = await http.head("/Observation", headers={"accept-encoding": "gzip"})
    assert head.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in (await http.get("/Observation", headers={"accept-encoding": "gzip;q=0"})).headers


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (b"no gzip at all", "gzip", 400),
        (gzip.compress(b'{"resourceType":"Patient"}')[:-12], "gzip", 400),
        (b"{}", "br", 415),
        (gzip.compress(b" " * (64 << 20)), "gzip", 413),
    ],
    ids=["no gzip", "half", "another coding", "a bomb"],
)
async def test_badly_packed(http: httpx.AsyncClient, body: bytes, coding: str, status: int) -> None:
    answer = await http.post("/Patient", content=body, headers={"content-encoding": coding})
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"


async def test_a_history_as_it_stood(http: httpx.AsyncClient, clock: TurnableClock) -> None:
    """Noon: ada. 12:10: ada again, and bob. 12:20: bob is deleted."""
    await http.put("/Patient/ada", json=patient("ada"))
    clock.turn(timedelta(minutes=10))
    await http.put("/Patient/ada", json=patient("ada", gender="female"))
    await http.put("/Patient/bob", json=patient("bob"))
    clock.turn(timedelta(minutes=10))
    await http.delete("/Patient/bob")

    async def at(path: str, when: str) -> set[str]:
        entries = (await http.get(f"{path}/_history?_at={when}")).json().get("entry", ())
        return {"/".join(e["response"]["location"].split("/")[-3::2]) for e in entries}

    for path in ("/Patient", ""):
        assert await at(path, "2026-11-21T11:59:59Z") == set()
        assert await at(path, "2026-11-21T12:05:00Z") == {"ada/1"}
        assert await at(path, "2026-11-21T12:15:00Z") == {"ada/2", "bob/1"}
        assert await at(path, "2026-11-21T12:25:00Z") == {"ada/2", "bob/2"}
        assert await at(path, "2026-11-21") == {"ada/1", "ada/2", "bob/1", "bob/2"}
    assert await at("/Patient/ada", "2026-11-21T12:05:00Z") == {"ada/1"}
    assert await at("/Patient/ada", "2026-11-21T12:15:00Z") == {"ada/2"}
    assert await at("/Patient/ada", "2026-11-21T11:00:00Z") == set()
    since = await http.get("/Patient/_history?_since=2026-11-21T12:10:00Z")
    assert len(since.json()["entry"]) == 3


async def test_pages_of_a_history_stay(http: httpx.AsyncClient, clock: TurnableClock) -> None:
    for n in range(7):
        clock.turn(timedelta(seconds=1))
        await http.put("/Patient/ada", json=patient("ada", birthDate=f"19{n + 10}-01-01"))
        await http.put("/Observation/o", json={**pulse("ada", n), "id": "o"})
    for path, expected in (("/Patient/ada", 7), ("/Patient", 7), ("", 14)):
        seen: list[str] = []
        url: str | None = f"{path}/_history?_count=3&_since=2026-11-21T12:00:00Z"
        many = 0
        while url:
            page = await http.get(url)
            seen += [e["response"]["location"] for e in page.json()["entry"]]
            clock.turn(timedelta(seconds=1))
            many += 1
            await http.put("/Patient/ada", json=patient("ada", birthDate=f"20{many:02}-{expected:02}-01"))
            url = next((link["url"] for link in page.json()["link"] if link["relation"] == "next"), None)
        assert len(seen) == len(set(seen)), path
        assert len([one for one in seen if "Observation" in one or int(one.rsplit("/", 1)[1]) <= 7]) == expected
        await http.get("/Patient/ada")


async def test_150_at_once_make_one(http: httpx.AsyncClient) -> None:
    body = patient(identifier=[{"system": "urn:x", "value": "7"}])

    async def one() -> httpx.Response:
        return await http.post("/Patient", json=body, headers={"if-none-exist": "identifier=urn:x|7"})

    answers = await asyncio.gather(*(one() for _ in range(150)))
    assert sorted(a.status_code for a in answers) == [200] * 149 + [201]
    assert len({a.json()["id"] for a in answers}) == 1
    assert (await http.get("/Patient/_history")).json()["entry"][1:] == []


async def test_no_version_is_lost(http: httpx.AsyncClient) -> None:
    """Thirty writers of one resource without If-Match: each version that was acknowledged is in the history."""
    await http.put("/Patient/ada", json=patient("ada"))

    async def one(n: int) -> httpx.Response:
        if n % 10 == 0:
            return await http.delete("/Patient/ada")
        return await http.put("/Patient/ada", json=patient("ada", birthDate=f"19{n + 10}-01-01"))

    answers = await asyncio.gather(*(one(n) for n in range(30)))
    assert {a.status_code for a in answers} <= {200, 201, 204}
    told = {a.headers["etag"]: a.json() for a in answers if a.status_code != 204}
    history = (await http.get("/Patient/ada/_history?_count=1000")).json()["entry"]
    assert [int(e["response"]["etag"][3:-1]) for e in history] == list(range(len(history), 0, -1))
    kept = {e["response"]["etag"]: e.get("resource") for e in history}
    for etag, resource in told.items():
        assert kept[etag] == resource


async def test_deleted_and_still_there_to_see(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    await http.delete("/Patient/ada")
    for method in ("GET", "HEAD"):
        assert (await http.request(method, "/Patient/ada")).status_code == 410
    assert (await http.get("/Patient/ada/_history/1")).json()["name"][0]["family"] == "Quist"
    assert (await http.get("/Patient")).json()["total"] == 0
    assert [e["request"]["method"] for e in (await http.get("/Patient/ada/_history")).json()["entry"]] == [
        "DELETE",
        "PUT",
    ]


async def test_a_write_that_always_loses_its_race_may_be_tried_again(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = []

    async def lost(*_: Any) -> None:
        tries.append(1)
        raise asyncpg.SerializationError("could not serialize access")

    monkeypatch.setattr(conditional, "target", lost)
    answer = await http.put("/Patient?family=Quist", json=patient())
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["issue"][0]["code"] == "transient"
    assert len(tries) == 5


async def test_two_transactions_in_opposite_order(http: httpx.AsyncClient) -> None:
    """Each meets the other's resources: both are done, one after the other."""
    names = [f"p{n}" for n in range(6)]

    async def one(order: list[str], gender: str) -> int:
        entries = [entry("PUT", f"Patient/{name}", patient(name, gender=gender)) for name in order]
        return (await http.post("", json=bundle("transaction", *entries))).status_code

    statuses = await asyncio.gather(
        *(one(names if n % 2 else names[::-1], "female" if n % 2 else "male") for n in range(12))
    )
    assert statuses == [200] * 12
    genders = {e["resource"]["gender"] for e in (await http.get("/Patient")).json()["entry"]}
    assert len(genders) == 1


async def test_the_order_of_verbs(http: httpx.AsyncClient, ctx: Ctx) -> None:
    """DELETE, POST, PUT and PATCH, GET: whatever the order they are sent in."""
    person = patient(identifier=[{"system": "urn:x", "value": "7"}])
    await http.put("/Patient/old", json=person | {"id": "old"})
    sent = bundle(
        "transaction",
        entry("GET", "Patient?identifier=urn:x|7"),
        entry("PUT", "Patient/ben", patient("ben")),
        entry(
            "POST", "Patient", person, "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0", ifNoneExist="identifier=urn:x|7"
        ),
        entry("POST", "Observation", {**pulse("x"), "subject": {"reference": "Patient?identifier=urn:x|7"}}),
        entry("DELETE", "Patient/old"),
    )
    answer = await http.post("", json=sent)
    assert answer.status_code == 200, answer.text
    found, _, made, reading, gone = answer.json()["entry"]
    assert made["response"]["status"] == "201 Created"  # the old one went first
    id_ = made["response"]["location"].split("/")[-3]
    assert [e["resource"]["id"] for e in found["resource"]["entry"]] == [id_]
    assert gone["response"]["status"][:3] == "204"
    stored = (await http.get(reading["response"]["location"])).json()
    assert stored["subject"]["reference"] == f"Patient/{id_}"
