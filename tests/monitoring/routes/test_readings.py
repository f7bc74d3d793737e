"""HTTPS for devices: what is answered 2xx is stored, in whatever format, and nobody sends for another."""

import random
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import orjson
import pytest
from tests.monitoring.routes.conftest import Doors
from tests.monitoring.test_wire import kinds

from bedside import access, monitoring, records
from bedside.foundation.errors import Unavailable
from bedside.monitoring import settings
from bedside.monitoring.testing import pack

pytestmark = pytest.mark.engine

LOINC, UCUM = "http://loinc.org", "http://unitsofmeasure.org"
FHIR = "application/fhir+json"


def quantity(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def code(number: str) -> dict[str, Any]:
    return {"coding": [{"system": LOINC, "code": number}]}


def instant(seconds: float = 0) -> str:
    return (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def heart_rate(value: float = 70, **also: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": code("8867-4"),
        "effectiveDateTime": instant(),
        "valueQuantity": quantity(value, "/min"),
        **also,
    }


def bundle(*resources: dict[str, Any]) -> bytes:
    entries = [{"resource": one, "request": {"method": "POST", "url": "Observation"}} for one in resources]
    return orjson.dumps({"resourceType": "Bundle", "type": "batch", "entry": entries})


def point(schema: str, body: dict[str, Any]) -> dict[str, Any]:
    return {
        "header": {"uuid": "x", "schema_id": {"namespace": "ieee", "name": schema, "version": "1.0"}},
        "body": {"effective_time_frame": {"date_time": instant()}, **body},
    }


async def test_senml_json_is_acknowledged_as_on_the_wire(doors: Doors) -> None:
    at = time.time()
    readings = pack(7, ("systolic", 178, "mm[Hg]", at), ("diastolic", 112, "mm[Hg]", at), ("pulse", 80, "Cel", at))
    answer = await doors.post(readings)
    assert answer.status_code == 200
    told = answer.json()
    assert (told["seq"], told["stored"], [one["index"] for one in told["refused"]]) == (7, 2, [3])
    assert await doors.newest() == {"systolic": 178, "diastolic": 112}
    again = await doors.post(readings)
    assert (again.status_code, again.json()) == (200, told)
    assert (await kinds(doors.ctx))["repeat"] == 2


async def test_senml_cbor_and_what_it_is_called(doors: Doors) -> None:
    readings = cbor2.dumps([{0: "seq", 2: 1}, {0: "spo2", 1: "%", 2: 97}])
    assert (await doors.post(readings, "application/senml+cbor")).json() == {"seq": 1, "stored": 1, "refused": []}
    wrong = await doors.post(readings)
    assert (wrong.status_code, wrong.json()["refused"]) == (400, [{"index": None, "reason": "not JSON"}])
    other = await doors.post(readings, "application/senml+xml")
    assert other.status_code == 415
    assert "application/senml+cbor" in other.json()["remedy"]
    assert (await kinds(doors.ctx))["malformed"] == 1


async def test_nothing_stored_is_no_success(doors: Doors) -> None:
    answer = await doors.post(pack(1, ("spo2", 101, "%", time.time())))
    assert (answer.status_code, answer.json()["stored"]) == (422, 0)
    assert (await doors.post(b"[" + b" " * 1_100_000 + b"]")).status_code == 413
    assert (await doors.post(b"[" * 100_000)).status_code == 400
    assert await doors.newest() == {}


async def test_an_observation_becomes_a_reading_and_is_found_where_the_answer_says(doors: Doors) -> None:
    pressure = {
        "resourceType": "Observation",
        "status": "final",
        "code": code("85354-9"),
        "subject": {"reference": "Patient/p1"},
        "device": {"reference": f"Device/{doors.mine.device}"},
        "effectiveDateTime": instant(),
        "component": [
            {"code": code("8480-6"), "valueQuantity": quantity(178, "mm[Hg]")},
            {"code": code("8462-4"), "valueQuantity": quantity(14.9, "kPa")},
        ],
    }
    answer = await doors.post(orjson.dumps(pressure), FHIR)
    assert answer.status_code == 201, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    async with access.work(doors.ctx, "looked") as inner:
        shown = await records.read(inner, "Observation", answer.headers["location"].rpartition("/")[2])
    assert [one["valueQuantity"]["value"] for one in shown["component"]] == [178, 112]
    assert shown["device"]["reference"] == f"Device/{doors.mine.device}"
    assert shown["subject"]["reference"] == "Patient/p1"


async def test_a_bundle_is_answered_entry_by_entry(doors: Doors) -> None:
    answer = await doors.post(
        bundle(heart_rate(), heart_rate(9000), {"resourceType": "Patient"}, heart_rate(71, effectiveDateTime="2026")),
        FHIR,
    )
    assert answer.status_code == 200
    entries = [one["response"] for one in answer.json()["entry"]]
    assert [one["status"][:3] for one in entries] == ["201", "422", "422", "422"]
    assert [one["outcome"]["issue"][0]["expression"] for one in entries[1:]] == [
        [f"Bundle.entry[{n}].resource"] for n in (1, 2, 3)
    ]
    assert await doors.newest() == {"heart-rate": 70}


async def test_an_observation_of_somebody_else_is_refused(doors: Doors) -> None:
    for also, reason in (
        ({"subject": {"reference": "Patient/p2"}}, "its subject did not hold this device at that time"),
        ({"subject": {"reference": "https://elsewhere.example/Patient/p1"}}, "no Patient of this record"),
        ({"subject": {"display": "Rosa"}}, "no Patient of this record"),
        ({"device": {"reference": f"Device/{doors.theirs.device}"}}, "it names another device"),
    ):
        answer = await doors.post(orjson.dumps(heart_rate(**also)), FHIR)
        assert answer.status_code == 422, also
        assert reason in answer.json()["issue"][0]["diagnostics"]
    mine = {"subject": {"reference": f"{doors.address}/fhir/R4/Patient/p1"}}
    assert (await doors.post(orjson.dumps(heart_rate(**mine)), FHIR)).status_code == 201
    assert await doors.newest("p2") == {}


async def test_an_observation_in_the_record_is_a_document_and_no_reading(doors: Doors) -> None:
    """What docs/devices.md says of /fhir/R4, whichever Device it names."""
    document = heart_rate(199, subject={"reference": "Patient/p1"}, device={"reference": f"Device/{doors.mine.device}"})
    async with access.work(doors.ctx, "wrote an Observation") as inner:
        await records.create(inner, document, id="doc-1")
    async with access.work(doors.ctx, "looked") as inner:
        assert (await records.read(inner, "Observation", "doc-1"))["valueQuantity"]["value"] == 199
    assert await doors.newest() == {}


async def test_whatever_comes_is_no_fault_of_the_server(doors: Doors) -> None:
    """Good messages of each format with bytes changed, cut out and put in: an answer below 500, always in JSON."""
    chance = random.Random(11)
    good = [
        (pack(1, ("systolic", 120, "mm[Hg]", time.time()), ("spo2", 97, "%", None)), "application/senml+json"),
        (cbor2.dumps([{-2: "x:", -3: time.time()}, {0: "spo2", 1: "%", 2: 97}]), "application/senml+cbor"),
        (bundle(heart_rate(subject={"reference": "Patient/p1"}), heart_rate(2047)), FHIR),
        (orjson.dumps([point("heart-rate", {"heart_rate": {"value": 70, "unit": "beats/min"}})]), "application/json"),
    ]
    for n in range(400):
        body, media = good[n % len(good)]
        broken = bytearray(body)
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(broken))
            match chance.randrange(3):
                case 0:
                    broken[at] = chance.randrange(256)
                case 1:
                    del broken[at : at + chance.randint(1, 6)]
                case _:
                    broken[at:at] = chance.choice([b"NaN", b"1e999", b"null", b"[", b"}", b"\\ud800", b"9" * 30, b"\0"])
        answer = await doors.post(bytes(broken), media)
        assert answer.status_code in {200, 201, 400, 422}, (bytes(broken), answer.text)
        answer.json()


async def test_data_points_one_or_many(doors: Doors) -> None:
    one = point("body-weight", {"body_weight": {"value": 180, "unit": "lb"}})
    assert (await doors.post(orjson.dumps(one), "application/json")).json()["stored"] == 1
    pressure = {
        "systolic_blood_pressure": {"value": 130, "unit": "mmHg"},
        "diastolic_blood_pressure": {"value": 80, "unit": "mmHg"},
    }
    many = [
        point("blood-pressure", pressure),
        point("step-count", {}),
        point("body-temperature", {"body_temperature": {"value": 98.6, "unit": "F"}}),
    ]
    answer = await doors.post(orjson.dumps(many), "application/json; charset=utf-8")
    assert (answer.status_code, answer.json()["stored"]) == (200, 3)
    assert [one["index"] for one in answer.json()["refused"]] == [1]
    assert await doors.newest() == {"weight": 81.65, "systolic": 130, "diastolic": 80, "temperature": 37.0}


async def test_who_is_not_let_in(doors: Doors) -> None:
    good = pack(1, ("heart-rate", 70, "/min", time.time()))
    answer = await doors.post(good, auth=(doors.mine.username, "wrong"))
    assert (answer.status_code, answer.headers["www-authenticate"].split()[0]) == (401, "Basic")
    assert (await doors.post(good, auth=("nobody-at-all", "x"))).status_code == 401
    assert (await doors.post(good, auth=("a\0b", "x"))).status_code == 401
    bare = await doors.client.post(f"{doors.address}/devices/{doors.mine.device}/readings", content=good)
    assert bare.status_code == 401
    other = await doors.post(orjson.dumps(heart_rate()), FHIR, device=doors.theirs.device)
    assert (other.status_code, other.json()["resourceType"]) == (403, "OperationOutcome")
    async with access.work(doors.ctx, "revoked a device") as inner:
        await monitoring.revoke_device(inner, doors.mine.device)
    assert (await doors.post(good)).status_code == 403
    assert await kinds(doors.ctx) == {
        "wrong-password": 1,
        "unknown-device": 1,
        "other-subject": 1,
        "revoked-device": 1,
    }
    assert await doors.newest() == await doors.newest("p2") == {}


async def test_an_expired_device_is_refused(doors: Doors) -> None:
    async with access.work(doors.ctx, "added a device") as inner:
        ends = datetime.now(UTC) + timedelta(hours=1)
        brief = await monitoring.add_device(inner, monitoring.NewDevice(kind="scale", patient="p1", expires=ends))
    auth = (brief.username, brief.password)
    weight = pack(1, ("weight", 80, "kg", time.time()))
    assert (await doors.post(weight, device=brief.device, auth=auth)).status_code == 200
    async with access.work(doors.ctx, "an hour later") as inner:
        await inner.sql.execute("update monitoring.device set expires_at = now() where name = $1", brief.device)
    assert (await doors.post(weight, device=brief.device, auth=auth)).status_code == 403


async def test_guessing_is_slowed_and_shuts_out_nobody_else(doors: Doors) -> None:
    good = pack(1, ("heart-rate", 70, "/min", time.time()))
    answers = [(await doors.post(good, auth=(doors.mine.username, f"guess{n}"))).status_code for n in range(21)]
    assert answers == [401] * 20 + [429]
    shut = await doors.post(good)
    assert shut.status_code == 429
    assert int(shut.headers["retry-after"]) > 0
    theirs = (doors.theirs.username, doors.theirs.password)
    assert (await doors.post(good, device=doors.theirs.device, auth=theirs)).status_code == 200


async def test_above_its_limit_a_device_waits_a_minute_and_no_other_does(doors: Doors) -> None:
    settings.use(doors.ctx.database, settings.Settings(messages=1))
    answers = [await doors.post(pack(n, ("heart-rate", 70, "/min", time.time()))) for n in range(10)]
    assert {one.status_code for one in answers} == {200, 429}
    assert answers[-1].status_code == 429
    assert 30 <= int(answers[-1].headers["retry-after"]) <= 60
    theirs = (doors.theirs.username, doors.theirs.password)
    calm = pack(1, ("heart-rate", 70, "/min", time.time()))
    assert (await doors.post(calm, device=doors.theirs.device, auth=theirs)).status_code == 200
    assert (await kinds(doors.ctx))["flood"] == 1


async def test_a_fault_here_is_told_in_the_caller_s_format_and_nothing_is_kept(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("bedside.monitoring.service.land", broken)
    answer = await doors.post(orjson.dumps(heart_rate()), FHIR)
    assert (answer.status_code, answer.json()["resourceType"]) == (500, "OperationOutcome")
    assert (await doors.post(pack(1, ("heart-rate", 70, "/min", time.time())))).status_code == 500
    assert await doors.newest() == {}


async def test_without_the_database_it_says_to_come_again(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise Unavailable("The database is away.", remedy="Try again in a few seconds.")

    monkeypatch.setattr("bedside.monitoring.service.land", away)
    answer = await doors.post(pack(1, ("heart-rate", 70, "/min", time.time())))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
