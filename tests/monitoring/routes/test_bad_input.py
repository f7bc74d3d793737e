"""One table of what must not be charted as it is, sent through every door; each answers in its own format.

A case is what was meant by its sender and what may come of it: refused with a reason, or charted right, or charted and
flagged. What nothing can tell (180 lb sent as 180 kg is a weight that people have) is not in it.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cbor2
import orjson
import pytest
import websockets
from tests.monitoring.cuff import Cuff
from tests.monitoring.routes.conftest import Doors

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.monitoring.ingest.model.metrics import BY_NAME

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


@dataclass(frozen=True)
class Case:
    """value: JSON as it stands in the message. at: ISO 8601 where it is not now. refused: part of the reason (or one of
    several), or None. charted: the value then, flags: what must be known of it. also: a second metric of the same
    moment."""

    name: str
    metric: str
    value: str
    unit: str
    refused: str | None = None
    charted: float | None = None
    flags: frozenset[str] = frozenset()
    at: str | None = None
    also: tuple[str, str] | None = None


IMPLAUSIBLE, CONVERTED = frozenset({"implausible"}), frozenset({"converted"})
CASES = [
    Case("NaN", "spo2", "NaN", "%", "not a number"),
    Case("Infinity", "heart-rate", "Infinity", "/min", "not a number"),
    Case("beyond a double", "heart-rate", "1e999", "/min", "not a number"),
    Case("the largest double", "heart-rate", "1e308", "/min", "impossible"),
    Case("text", "heart-rate", '"70"', "/min", "not a number"),
    Case("truth", "heart-rate", "true", "/min", "not a number"),
    Case("nothing", "heart-rate", "null", "/min", "not a number"),
    Case("SFLOAT NaN", "heart-rate", "2047", "/min", "special"),
    Case("SFLOAT NRes", "systolic", "-2048", "mm[Hg]", "special"),
    Case("SFLOAT infinity", "weight", "2046", "kg", "special"),
    Case("SFLOAT reserved", "glucose", "2045", "mg/dL", "special"),
    Case("FLOAT NaN", "temperature", "8388607", "Cel", "special"),
    Case("no reading", "heart-rate", "0", "/min", "impossible"),
    Case("negative", "heart-rate", "-70", "/min", "impossible"),
    Case("SpO2 101", "spo2", "101", "%", "impossible"),
    Case("a fraction for per cent", "spo2", "0.97", "%", "impossible"),
    Case("kPa said as mmHg", "systolic", "16.5", "mm[Hg]", "impossible"),
    Case("kPa said as mmHg, high", "systolic", "23.7", "mm[Hg]", charted=23.7, flags=IMPLAUSIBLE),
    Case("mmHg said as kPa", "systolic", "120", "kPa", "impossible|wrong unit"),
    Case("°F said as °C", "temperature", "98.6", "Cel", "impossible"),
    Case("°C said as °F", "temperature", "37", "[degF]", "impossible"),
    Case("°F said so", "temperature", "98.6", "[degF]", charted=37.0, flags=CONVERTED),
    Case("lb said as kg", "weight", "1600", "kg", "impossible"),
    Case("lb said as kg, heavy", "weight", "551", "kg", charted=551, flags=IMPLAUSIBLE),
    Case("lb said so", "weight", "180", "[lb_av]", charted=81.65, flags=CONVERTED),
    Case("mmol/L said as mg/dL", "glucose", "5.5", "mg/dL", charted=5.5, flags=IMPLAUSIBLE),
    Case("mg/dL said as mmol/L", "glucose", "180", "mmol/L", "impossible"),
    Case("another metric's unit", "spo2", "97", "/min", "wrong unit"),
    Case("diastolic above systolic", "systolic", "80", "mm[Hg]", "below systolic", also=("diastolic", "120")),
    Case("the year 0", "spo2", "97", "%", "time", at="0000-01-01T00:00:00Z"),
    Case("the year 1", "spo2", "97", "%", "before the year 2000", at="0001-01-01T00:00:00Z"),
    Case("1999", "spo2", "97", "%", "before the year 2000", at="1999-12-31T23:59:59Z"),
    Case("2099", "spo2", "97", "%", "48 h ahead", at="2099-01-01T00:00:00Z"),
    Case("9999", "spo2", "97", "%", "48 h ahead", at="9999-12-31T23:59:59-14:00"),
]
Sent = tuple[int, list[str]]
"""How many are held, and the reasons of what was refused."""
Send = Callable[[Case, str], Awaitable[Sent | None]]
"""Sends a case with its time; None where the door's format cannot say such a thing."""


def seconds(at: str) -> str:
    """As JSON; far before our era where datetime cannot go."""
    if at.startswith("0000"):
        return "-62167219200"
    zone = {"9999-12-31T23:59:59-14:00": "253402351199"}
    return zone.get(at) or repr(datetime.fromisoformat(at).timestamp())


def pairs(case: Case) -> list[tuple[str, str]]:
    return [(case.metric, case.value), *([case.also] if case.also else [])]


def senml(case: Case, at: str) -> str:
    records = [f'{{"n":"{name}","u":"{case.unit}","v":{value},"t":{seconds(at)}}}' for name, value in pairs(case)]
    return f'[{{"n":"seq","v":1}},{",".join(records)}]'


def cbor(case: Case, at: str) -> bytes:
    literal = {"NaN": float("nan"), "Infinity": float("inf"), "1e999": float("inf")}
    records = [
        {0: name, 1: case.unit, 2: literal[value] if value in literal else orjson.loads(value), 6: float(seconds(at))}
        for name, value in pairs(case)
    ]
    return cbor2.dumps([{0: "seq", 2: 1}, *records])


def observation(case: Case, at: str) -> bytes:
    def part(name: str, value: str) -> str:
        code = f'"code":{{"coding":[{{"system":"http://loinc.org","code":"{BY_NAME[name].loinc}"}}]}}'
        unit = f'"system":"http://unitsofmeasure.org","code":"{case.unit}"'
        return f'{code},"valueQuantity":{{"value":{value},{unit}}}'

    told = f'"resourceType":"Observation","status":"final","effectiveDateTime":"{at}"'
    if case.also is None:
        return f"{{{told},{part(case.metric, case.value)}}}".encode()
    panel = '"code":{"coding":[{"system":"http://loinc.org","code":"85354-9"}]}'
    components = ",".join(f"{{{part(name, value)}}}" for name, value in pairs(case))
    return f'{{{told},{panel},"component":[{components}]}}'.encode()


SCHEMAS = {
    "heart-rate": ("heart-rate", "heart_rate"),
    "spo2": ("oxygen-saturation", "oxygen_saturation"),
    "temperature": ("body-temperature", "body_temperature"),
    "weight": ("body-weight", "body_weight"),
    "glucose": ("blood-glucose", "blood_glucose"),
    "systolic": ("blood-pressure", "systolic_blood_pressure"),
}
WORDS = {"/min": "beats/min", "mm[Hg]": "mmHg", "Cel": "C", "[degF]": "F", "[lb_av]": "lb"}


def data_point(case: Case, at: str) -> bytes | None:
    if case.metric == "systolic" and case.flags:
        return None  # there is no systolic pressure alone
    schema, field = SCHEMAS[case.metric]
    unit = WORDS.get(case.unit, case.unit)
    body = f'"{field}":{{"value":{case.value},"unit":"{unit}"}}'
    if case.metric == "systolic":
        low = case.also[1] if case.also else "60"
        body += f',"diastolic_blood_pressure":{{"value":{low},"unit":"mmHg"}}'
    header = f'"header":{{"schema_id":{{"namespace":"omh","name":"{schema}","version":"2.0"}}}}'
    return f'{{{header},"body":{{{body},"effective_time_frame":{{"date_time":"{at}"}}}}}}'.encode()


def acknowledged(answer: dict[str, Any]) -> Sent:
    return answer["stored"], [one["reason"] for one in answer["refused"]]


@pytest.fixture(params=["mqtt", "senml+json", "senml+cbor", "fhir", "data points", "websocket"])
async def send(request: pytest.FixtureRequest, doors: Doors, wire: Ctx, nats: Nats) -> AsyncIterator[Send]:
    """The door under test."""

    async def posted(body: bytes | None, media: str) -> Sent | None:
        if body is None:
            return None
        answer = await doors.post(body, media)
        told = answer.json()
        if media == "application/fhir+json":
            assert answer.status_code in {201, 422}, answer.text
            assert told["resourceType"] == "OperationOutcome"
            issue = told["issue"][0]
            assert (issue["severity"] == "error") == (answer.status_code == 422)
            return (1, []) if answer.status_code == 201 else (0, [issue["diagnostics"]])
        assert (answer.status_code == 200) == (told["stored"] > 0), answer.text
        return acknowledged(told)

    match request.param:
        case "mqtt":
            async with Cuff(doors.mine, nats.mqtt_port) as cuff:

                async def by_mqtt(case: Case, at: str) -> Sent:
                    await cuff.send(senml(case, at).encode())
                    return acknowledged(await cuff.answer(1))

                yield by_mqtt
        case "websocket":
            secret = base64.b64encode(f"{doors.mine.username}:{doors.mine.password}".encode()).decode()
            async with websockets.connect(
                f"{doors.address.replace('http', 'ws')}/devices/{doors.mine.device}/ws",
                additional_headers={"authorization": f"Basic {secret}"},
                subprotocols=["senml.bedside.v1"],
            ) as link:

                async def by_link(case: Case, at: str) -> Sent:
                    await link.send(senml(case, at))
                    return acknowledged(orjson.loads(await asyncio.wait_for(link.recv(), 30)))

                yield by_link
        case "senml+json":
            yield lambda case, at: posted(senml(case, at).encode(), "application/senml+json")
        case "senml+cbor":
            yield lambda case, at: posted(cbor(case, at), "application/senml+cbor")
        case "fhir":
            yield lambda case, at: posted(observation(case, at), "application/fhir+json")
        case _:
            yield lambda case, at: posted(data_point(case, at), "application/json")


async def test_the_table(doors: Doors, send: Send) -> None:
    begun = time.time()
    expected: list[tuple[str, float, frozenset[str]]] = []
    for n, case in enumerate(CASES):
        at = case.at or datetime.fromtimestamp(begun + n / 1000, UTC).isoformat()
        sent = await send(case, at)
        if sent is None:
            continue
        stored, reasons = sent
        if case.refused is not None:
            assert stored == 0, case
            assert reasons, case
            assert all(any(word in one for word in case.refused.split("|")) for one in reasons), (case, reasons)
        else:
            assert (stored, reasons) == (1, []), case
            assert case.charted is not None
            expected.append((case.metric, case.charted, case.flags))
    async with access.work(doors.ctx, "looked") as inner:
        found = []
        everything = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
        for metric in sorted({case.metric for case in CASES} | {"diastolic"}):
            series = await monitoring.series(inner, "p1", metric, *everything)
            found += [(metric, point.value, point.flags) for point in series.points]
    assert sorted(found, key=str) == sorted(expected, key=str)
