"""What should not be sent, sent to the running program: an answer of 4xx that names the place, soon, in bounded memory.

Whoever waits meanwhile is answered too, and the record holds nothing of it.
"""

import http.client
import json
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.conformance.conftest import Server

from bedside.fhir import structure

pytestmark = pytest.mark.conformance

SOON = 1.0
"""Seconds, of the program's processor: the machine may be busy with other things."""
MOST = 150 << 20
"""Bytes that the web process may grow by under all of it."""


def memory(server: Server) -> int:
    """The most memory that the web process ever held."""
    pid = server.program.running()["processes"]["web"]
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def worked(server: Server) -> float:
    """Seconds of processor that the web process has had."""
    pid = server.program.running()["processes"]["web"]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


@pytest.fixture
def bounded(server: Server) -> Iterator[None]:
    """What the test does costs the program little, and leaves it well."""
    with server.http() as client:
        client.get("/Patient?_count=1")  # what is loaded at first use is loaded
        before = memory(server)
        yield
        assert client.get("/metadata").status_code == 200
        assert client.get("/Patient/bad").status_code == 404
        assert memory(server) - before < MOST


def refused(answer: httpx.Response, *statuses: int) -> list[str]:
    """The places that an OperationOutcome names, none of which says what was refused."""
    assert answer.status_code in (statuses or range(400, 500)), (answer.status_code, answer.text[:300])
    body = answer.json()
    assert body["resourceType"] == "OperationOutcome"
    assert structure.validate(answer.content) == []
    return [place for issue in body["issue"] for place in issue.get("expression", [])]


def observation(value: str = '{"value":1}', **more: Any) -> bytes:
    made = {"resourceType": "Observation", "id": "bad", "status": "final", "code": {"text": "x"}, **more}
    return json.dumps(made).replace('"VALUE"', value).encode()


DATES = [
    "",
    " ",
    "1990-02-30",
    "1990-13-01",
    "1990-00-10",
    "1990-1-1",
    "90-01-01",
    "19900101",
    "1990/01/01",
    "01.02.1990",
    "1990-01-01T",
    "1990-01-01T25:00:00Z",
    "1990-01-01T10:60:00Z",
    "1990-01-01T10:00",
    "1990-01-01T10:00:00",
    "1990-01-01T10:00:00+25:00",
    "1990-01-01T10:00:00 Z",
    "1990-01-01T10:00:00,5Z",
    "10000-01-01",
    "-0044-03-15",
    "0000",
    "yesterday",
    "1990-02-29",
    "١٩٩٠-٠١-٠١",
    "1990-01-01\u0000",
    "9" * 10_000,
]


@pytest.mark.parametrize("date", DATES, ids=lambda text: ascii(text)[:24])
def test_dates(server: Server, date: str) -> None:
    with server.http() as client:
        body = {"resourceType": "Observation", "id": "bad", "status": "final", "code": {"text": "x"}}
        for key, value in (("effectiveDateTime", date), ("effectivePeriod", {"start": date}), ("issued", date)):
            answer = client.put("/Observation/bad", json={**body, key: value})
            assert any(place.startswith(f"Observation.{key}") for place in refused(answer)), (key, answer.text)
        refused(client.put("/Patient/bad", json={"resourceType": "Patient", "id": "bad", "birthDate": date}))
        if date.strip() and "\0" not in date and "T10:00" not in date:  # a search may leave out seconds and zone
            found = client.get("/Patient", params={"birthdate": date})
            assert refused(found) == ["birthdate"], found.text
        assert client.get("/Observation/bad").status_code == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_the_type_of_an_entry_is_an_object(server: Server, method: str) -> None:
    """Found by test_fuzz."""
    entry = {
        "request": {"method": method, "url": "Patient" if method == "POST" else "Patient/bad"},
        "resource": {"resourceType": {"resourceType": "Parameters"}},
    }
    with server.http() as client:
        refused(client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [entry]}), 400, 422)
        answer = client.post("", json={"resourceType": "Bundle", "type": "batch", "entry": [entry]})
        assert answer.json()["entry"][0]["response"]["status"][:3] in ("400", "422")


DIGITS = "1234567890" * 4


@pytest.mark.parametrize(
    "number", [f"0.{DIGITS}", f"{DIGITS}.{DIGITS}", "1.0", "1.50", "-0.00", DIGITS, "1.10e-7", "1E+2", "0.1e-30"]
)
def test_numbers_keep_every_digit(server: Server, number: str) -> None:
    with server.http() as client:
        body = observation(f'{{"value":{number}}}', valueQuantity="VALUE").replace(b"bad", b"num")
        made = client.put("/Observation/num", content=body)
        assert made.status_code in (200, 201), made.text
        # 1.10e-7 comes back as 1.10E-7: every digit there was, and not one more
        told = f'"value":{Decimal(number)}}}'.encode()
        assert told in client.get("/Observation/num").content
        assert told in client.get("/Observation?_id=num").content
        assert told in client.get("/Observation/num/_history").content
        look = {
            "resourceType": "Bundle",
            "type": "batch",
            "entry": [{"request": {"method": "GET", "url": "Observation/num"}}],
        }
        assert told in client.post("", json=look).content
        added = [{"op": "add", "path": "/note", "value": [{"text": "x"}]}]
        changed = client.patch("/Observation/num", json=added, headers={"content-type": "application/json-patch+json"})
        assert told in changed.content
        whole = {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [{"request": {"method": "PUT", "url": "Observation/num"}, "resource": "HERE"}],
        }
        sent = json.dumps(whole).encode().replace(b'"HERE"', body.replace(b'"x"', b'"y"'))
        assert client.post("", content=sent).status_code == 200
        assert told in client.get("/Observation/num").content


BEYOND = ["1e400", "-1e999999999", "1e-999999999", "9" * 5000, "0x10", "1.", ".5", "+1", "01", "NaN", "Infinity"]


@pytest.mark.parametrize("number", BEYOND, ids=lambda text: text[:16])
def test_numbers_beyond_measure(server: Server, number: str, bounded: None) -> None:
    with server.http() as client:
        body = observation(f'{{"value":{number}}}', valueQuantity="VALUE")
        refused(client.put("/Observation/bad", content=body), 400, 422)
        assert client.get("/Observation/bad").status_code == 404
        found = client.get("/Observation", params={"value-quantity": number})
        if found.status_code != 200:  # a search is more easily content with a number than JSON is
            assert refused(found, 400) == ["value-quantity"]


DEEP = 50_000


def narrative(inside: bytes) -> bytes:
    return b'"text":{"status":"generated","div":"<div xmlns=\\"http://www.w3.org/1999/xhtml\\">%s</div>"}' % inside


INNER = {
    "contained within contained": b'"contained":[{"resourceType":"Patient","id":"a","contained":'
    b'[{"resourceType":"Patient","id":"b"}]}]',
    "contained in a circle": b'"contained":[{"resourceType":"Organization","id":"a","partOf":{"reference":"#b"}},'
    b'{"resourceType":"Organization","id":"b","partOf":{"reference":"#a"}}]',
    "a script": narrative(b"<script>x</script>"),
    "entities": narrative(b"&a;&b;"),
    "a deep narrative": narrative(b"<b>" * 20_000 + b"</b>" * 20_000),
    "a doctype": b'"text":{"status":"generated","div":"<!DOCTYPE d [<!ENTITY a \\"aa\\"><!ENTITY b \\"&a;&a;\\">]>'
    b'<div xmlns=\\"http://www.w3.org/1999/xhtml\\">&b;</div>"}',
}
BODIES: dict[str, bytes] = {
    "nested arrays": b'{"resourceType":"Patient","id":"bad","contact":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "nested objects": b'{"resourceType":"Patient","contact":' + b'{"name":' * DEEP + b"1" + b"}" * DEEP + b"}",
    "nested extensions": b'{"resourceType":"Patient","id":"bad","extension":['
    + b'{"url":"urn:e","extension":[' * 400 + b'{"url":"urn:e","valueString":"x"}' + b"]}" * 400 + b"]}",
    "never closed": b"[" * 1_000_000,
    "not UTF-8": b'{"resourceType":"Patient","id":"bad","name":[{"family":"\xff\xfe"}]}',
    "UTF-16": '{"resourceType":"Patient","id":"bad"}'.encode("utf-16"),
    "NUL": b'{"resourceType":"Patient","id":"bad","name":[{"family":"a\\u0000b"}]}',
    "a NUL byte": b'{"resourceType":"Patient","id":"bad","name":[{"family":"a\x00b"}]}',
    "a lone surrogate": b'{"resourceType":"Patient","id":"bad","name":[{"family":"\\ud800"}]}',
    "a key twice": b'{"resourceType":"Patient","id":"bad","active":true,"active":false}',
    "a key twice, inside": b'{"resourceType":"Patient","id":"bad","name":[{"family":"a","family":"b"}]}',
    "nothing": b"",
    "a string": b'"Patient"',
    "a list": b"[]",
    "no type": b"{}",
    "40,000 unknown keys": b'{"resourceType":"Patient",' + b",".join(b'"k%d":1' % n for n in range(40_000)) + b"}",
    "20,000 wrong names": b'{"resourceType":"Patient","id":"bad","name":[' + b",".join([b'{"x":1}'] * 20_000) + b"]}",
    **{name: b'{"resourceType":"Patient","id":"bad",%s}' % inner for name, inner in INNER.items()},
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_bodies(server: Server, body: bytes, bounded: None) -> None:
    with server.http() as client:
        before = worked(server)
        refused(client.put("/Patient/bad", content=body), 400, 422)
        assert worked(server) - before < SOON
        refused(client.post("/Patient", content=body), 400, 422)
        entry = b'{"request":{"method":"PUT","url":"Patient/bad"},"resource":%s}' % body
        bundle = b'{"resourceType":"Bundle","type":"transaction","entry":[%s]}' % entry
        refused(client.post("", content=bundle), 400, 422)
        patch = {"content-type": "application/json-patch+json"}
        refused(client.patch("/Patient/bad", content=body, headers=patch), 400, 404, 422)


@pytest.mark.parametrize(
    ("kind", "status"),
    [("text/plain", 415), ("application/fhir+xml", 415), ("multipart/form-data; boundary=x", 415), ("", 415),
     ("application/fhir+json; charset=latin-1", 415), ("\xff", 415)],
)  # fmt: skip
def test_kinds(server: Server, kind: str, status: int) -> None:
    with server.http() as client:
        headers = {"content-type": kind.encode("latin-1")}
        assert refused(client.put("/Patient/bad", content=b"{}", headers=headers), status) == ["Content-Type"]


SEARCHES = {
    "10,000 tokens": "code=" + ",".join(f"c{n}" for n in range(10_000)),
    "10,000 tokens of a system": "identifier=" + ",".join(f"urn:x|{n}" for n in range(10_000)),
    "2,000 parameters": "&".join(f"code=c{n}" for n in range(2_000)),
    "a chain without end": "subject:Patient." + "general-practitioner:Practitioner." * 30 + "name=x",
    "has within has": "_has:Observation:subject:" * 30 + "code=x",
    "NUL": "code=a%00b",
    "not UTF-8": "code=%ff",
    "a huge count": "_count=99999999999999999999",
    "a number in words": "value-quantity=many",
    "an includes bomb": "&".join("_include:iterate=*" for _ in range(200)),
    "a date bomb": "date=" + "9" * 50_000,
    "a cursor of ours, bent": "_cursor=" + "A" * 10_000,
    "a filter bomb": "_filter=" + "(" * 5_000,
}


@pytest.mark.parametrize("query", SEARCHES.values(), ids=SEARCHES)
def test_searches(server: Server, query: str, bounded: None) -> None:
    with server.http() as client:
        before = worked(server)
        begun = time.monotonic()
        if len(query) < 60_000:  # httpx sends no longer address
            answer = client.get(f"/Observation?{query}")
            refused(answer, 400, 413, 414, 422, 431)
        form = {"content-type": "application/x-www-form-urlencoded"}
        posted = client.post("/Observation/_search", content=query, headers=form)
        refused(posted, 400, 413, 422)
        assert worked(server) - before < 2 * SOON
        assert time.monotonic() - begun < 10 * SOON  # the database's share, on a busy machine


BOMB = "a" * 64 + "!"


@pytest.mark.parametrize("value", ["(a+)+$", "(a|aa)+$", ".*.*.*.*=.*", "((((((((((a", "%25%25%25%25_%25", "\\"])
def test_patterns_are_only_text(server: Server, value: str, bounded: None) -> None:
    """Nothing that is sent runs as a pattern: it is looked for as it stands."""
    with server.http() as client:
        client.put("/Patient/bomb", json={"resourceType": "Patient", "id": "bomb", "name": [{"family": BOMB}]})
        before = worked(server)
        for query in ("name", "name:contains", "name:exact"):
            found = client.get("/Patient", params={query: value, "_id": "bomb"})
            assert found.json().get("total", 0) == 0, found.text
        path = [
            {"name": "type", "valueCode": "delete"},
            {"name": "path", "valueString": f"Patient.name.where(family.matches('{value}'))"},
        ]
        patch = {"resourceType": "Parameters", "parameter": [{"name": "operation", "part": path}]}
        refused(client.patch("/Patient/bomb", json=patch), 422)
        assert worked(server) - before < SOON


def test_references_in_a_circle(server: Server, bounded: None) -> None:
    with server.http() as client:
        for one, other in (("c1", "c2"), ("c2", "c1"), ("c3", "c3")):
            body = {
                "resourceType": "Organization",
                "id": one,
                "name": "x",
                "partOf": {"reference": f"Organization/{other}"},
            }
            assert client.put(f"/Organization/{one}", json=body).status_code in (200, 201)
        for query in ("_id=c1&_include:iterate=Organization:partof", "_id=c3&_revinclude:iterate=Organization:partof"):
            found = client.get(f"/Organization?{query}")
            assert found.status_code == 200
            ids = [e["resource"]["id"] for e in found.json()["entry"]]
            assert len(ids) == len(set(ids)) <= 2
        assert client.get("/Organization?partof.partof.partof.name=x").json()["total"] == 3
        urns = [f"urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e{n}" for n in range(2)]
        entries = [
            {
                "fullUrl": urns[n],
                "request": {"method": "POST", "url": "Organization"},
                "resource": {"resourceType": "Organization", "name": "y", "partOf": {"reference": urns[1 - n]}},
            }
            for n in range(2)
        ]
        assert (
            client.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries}).status_code == 200
        )


@pytest.mark.parametrize("told", [True, False], ids=["its length said", "in chunks"])
def test_a_hundred_megabytes(server: Server, told: bool, bounded: None) -> None:
    """Refused while it comes, and others are answered meanwhile."""
    place = urlsplit(server.base)
    slow: list[float] = []
    stop = threading.Event()

    def look() -> None:
        with server.http() as client:
            while not slow or not stop.is_set():
                begun = time.monotonic()
                assert client.get("/Patient/nobody").status_code == 404
                slow.append(time.monotonic() - begun)

    others = threading.Thread(target=look)
    others.start()
    link = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
    try:
        link.putrequest("POST", f"{place.path}/Patient")
        link.putheader("Authorization", server.authorization)
        link.putheader("Content-Type", "application/fhir+json")
        link.putheader(*(("Content-Length", str(100 << 20)) if told else ("Transfer-Encoding", "chunked")))
        link.endheaders()
        chunk = b" " * (1 << 20)
        sent = 0
        try:
            for _ in range(100):
                link.send(chunk if told else b"100000\r\n" + chunk + b"\r\n")
                sent += 1
            if not told:
                link.send(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass  # it had said enough
        status, body = 0, b""
        try:
            answer = link.getresponse()
            status, body = answer.status, answer.read()
        except (ConnectionError, http.client.HTTPException):
            assert sent < 100
        if status:
            assert status == 413
            assert json.loads(body)["resourceType"] == "OperationOutcome"
    finally:
        link.close()
        stop.set()
        others.join()
    assert slow
    assert max(slow) < 5
