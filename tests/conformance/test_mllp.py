"""HL7 v2 into the running program, by python-hl7's own client: framed, answered, kept once, read back as FHIR."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import hl7
import pytest
from hl7.client import MLLPClient
from tests.conformance.conftest import Server
from tests.exchange.oru import DIASTOLIC, MMHG, PERCENT, SPO2, SYSTEM, SYSTOLIC, msh, obx, oru

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def ward(server: Server) -> str:
    """Two patients of this server's, and an interface, added as an operator would: the patient's number."""
    words = ["interface", "add", "ward", "--application", "MON", "--facility", "ICU", "--authority", f"WARD={SYSTEM}"]
    done = subprocess.run(
        [sys.executable, "-m", "bedside", *words, "--json", "--home", str(server.program.home)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout)["application"] == "MON"
    return "ward"


@pytest.fixture
def patient(server: Server, ward: str) -> str:
    """The id of a fresh patient, which is their number too."""
    assert ward
    id_ = str(uuid4())
    body = {
        "resourceType": "Patient",
        "id": id_,
        "identifier": [{"system": SYSTEM, "value": id_}],
        "name": [{"family": "Quist", "given": ["Ada"]}],
        "birthDate": "1950-01-02",
    }
    with server.http() as http:
        assert http.put(f"/Patient/{id_}", json=body).status_code == 201
    return id_


@pytest.fixture
def client(server: Server, ward: str) -> Iterator[MLLPClient]:
    assert ward
    with MLLPClient("127.0.0.1", server.program.mllp_port) as link:
        link.socket.settimeout(20)
        yield link


def message(patient: str, *results: str, control: str = "", acks: str = "") -> bytes:
    head = msh(control or uuid4().hex[:20], acks=acks)
    return oru(*results, head=head, pid=f"PID|||{patient}^^^WARD^MR||Quist^Ada||19500102")


def told(answer: bytes) -> tuple[str, str]:
    """MSA-1 and MSA-2, as the library reads them."""
    found = hl7.parse(answer.strip(b"\x0b\x1c\r").decode()).segment("MSA")
    return str(found[1]), str(found[2])


def observations(server: Server, patient: str, code: str) -> list[dict[str, Any]]:
    with server.http() as http:
        bundle = http.get("/Observation", params={"patient": patient, "code": f"http://loinc.org|{code}"}).json()
    return [entry["resource"] for entry in bundle.get("entry", [])]


def test_results_are_observations_and_come_once(server: Server, patient: str, client: MLLPClient) -> None:
    sent = message(patient, obx(), obx(SPO2, "97", PERCENT), obx(SYSTOLIC, "120", MMHG), obx(DIASTOLIC, "80", MMHG))
    control = str(hl7.parse(sent.decode()).segment("MSH")[10])
    first = client.send_message(sent)
    assert told(first) == ("AA", control)
    assert client.send_message(sent) == first
    (rate,) = observations(server, patient, "8867-4")
    assert (rate["valueQuantity"]["value"], rate["subject"]["reference"]) == (80, f"Patient/{patient}")
    (pressure,) = observations(server, patient, "85354-9")
    assert [part["valueQuantity"]["value"] for part in pressure["component"]] == [120, 80]
    with server.http() as http:
        assert http.get(f"/{rate['device']['reference']}").json()["status"] == "active"


def test_a_correction_is_read_back(server: Server, patient: str, client: MLLPClient) -> None:
    assert told(client.send_message(message(patient, obx(value="180"))))[0] == "AA"
    assert told(client.send_message(message(patient, obx(value="80", status="C"))))[0] == "AA"
    found = {one["status"]: one["valueQuantity"]["value"] for one in observations(server, patient, "8867-4")}
    assert found == {"entered-in-error": 180, "final": 80}


def test_enhanced_mode_and_line_ends(patient: str, client: MLLPClient) -> None:
    assert told(client.send_message(message(patient, acks="AL|NE")))[0] == "CA"
    assert told(client.send_message(message(patient).replace(b"\r", b"\n")))[0] == "AA"
    assert told(client.send_message(message(patient, obx(unit=""))))[0] == "AE"
    assert told(client.send_message(message(patient).replace(b"|MON|", b"|WHO|")))[0] == "AR"


def test_the_wire_as_tcp_brings_it(server: Server, patient: str) -> None:
    wire = (
        b"garbage\r\n\x0b" + message(patient, control="w1") + b"\x1c\r\x0b" + message(patient, control="w2") + b"\x1c"
    )
    with socket.create_connection(("127.0.0.1", server.program.mllp_port), timeout=20) as link:
        for at in range(0, len(wire), 37):
            link.sendall(wire[at : at + 37])
        got = b""
        while got.count(b"\x1c\r") < 2:
            got += link.recv(4096)
    assert [told(one) for one in got.split(b"\x1c\r")[:2]] == [("AA", "w1"), ("AA", "w2")]
    assert len(observations(server, patient, "8867-4")) == 1


def test_a_killed_ingest_process_refuses_no_connection(server: Server, patient: str) -> None:
    processes = json.loads((server.program.home / "running.json").read_text())["processes"]
    os.kill(processes["ingest"], signal.SIGKILL)
    with MLLPClient("127.0.0.1", server.program.mllp_port) as link:
        link.socket.settimeout(30)
        assert told(link.send_message(message(patient)))[0] == "AA"
    assert len(observations(server, patient, "8867-4")) == 1


def test_what_went_wrong_names_no_value(server: Server, patient: str, client: MLLPClient) -> None:
    answer = client.send_message(message(patient, obx(value="8765")))
    assert told(answer)[0] == "AE"
    assert b"8765" not in answer
    for log in (server.program.home / "logs").glob("ingest*"):
        assert "8765" not in log.read_text()
        assert patient not in log.read_text()


def test_many_messages_in_a_row(server: Server, patient: str, client: MLLPClient) -> None:
    begun, many = time.perf_counter(), 200
    for n in range(many):
        at = f"2026112111{n // 60:02d}{n % 60:02d}+0000"
        assert told(client.send_message(message(patient, obx(at=at, value=str(60 + n % 60)))))[0] == "AA"
    print(f"{many / (time.perf_counter() - begun):.0f} messages/s on one link, each acknowledged after its commit")
