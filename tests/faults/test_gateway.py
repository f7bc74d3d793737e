"""A gateway between a device and a Bedside that comes and goes: nothing it kept is lost, and nothing is there twice.

The gateway is `bedside gateway`, a process; Bedside is the running program, stopped and started; the gateway is killed
with SIGKILL while it takes and while it passes on.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from tools.clinic import Clinic, running

from bedside.foundation.home import Home

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

PATIENTS = 2


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    with running(tmp_path_factory.mktemp("gateway") / "home", patients=PATIENTS) as clinic:
        yield clinic


class Gateway:
    """One process, started anew on the same journal after each death."""

    def __init__(self, home: Path, to: str, cards: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{self.port}"
        self.command = [
            *(sys.executable, "-m", "bedside", "gateway", "--to", to, "--cards", str(cards)),
            *("--home", str(home), "--port", str(self.port), *options),
        ]
        self.log = (home.parent / "gateway.log").open("ab")
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                self.health()
                return
            except httpx.HTTPError:
                assert self.process.poll() is None, "the gateway did not start"
                time.sleep(0.05)
        raise TimeoutError

    def health(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.address}/healthz", timeout=30).json()
        return found

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        self.process.terminate()
        assert self.process.wait(30) == 0
        self.log.close()

    def drained(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.health()["waiting"]:
            assert time.monotonic() < until, self.health()
            time.sleep(0.1)


def card_of(clinic: Clinic, patient: str) -> dict[str, Any]:
    made = clinic.command("device", "add", "--patient", patient, "--kind", "heart-rate", "--json")
    found: dict[str, Any] = json.loads(made)
    return found


def patient_of(token: str, clinic: Clinic) -> str:
    head = {"authorization": f"Bearer {token}"}
    bundle = httpx.get(f"{clinic.address}/fhir/R4/Patient?_count=1", headers=head).json()
    return str(bundle["entry"][0]["resource"]["id"])


def token_of(clinic: Clinic) -> str:
    made = json.loads(clinic.command("client", "add", "gateway test", "--scope", "system/*.rs", "--json"))
    auth = (made["client_id"], made["client_secret"])
    endpoint = httpx.get(f"{clinic.address}/fhir/R4/.well-known/smart-configuration").json()["token_endpoint"]
    grant = {"grant_type": "client_credentials", "scope": "system/*.rs"}
    return str(httpx.post(endpoint, data=grant, auth=auth).json()["access_token"])


def held(clinic: Clinic, token: str, device: str) -> list[tuple[str, float]]:
    """Every heart rate of the device, oldest first: (moment, value)."""
    head = {"authorization": f"Bearer {token}"}
    query = f"device=Device/{device}&code=http://loinc.org|8867-4&_sort=date&_count=1000"
    bundle = httpx.get(f"{clinic.address}/fhir/R4/Observation?{query}", headers=head, timeout=30).json()
    resources = [entry["resource"] for entry in bundle.get("entry", ())]
    return [(one["effectiveDateTime"], float(one["valueQuantity"]["value"])) for one in resources]


def carriers(clinic: Clinic) -> set[str]:
    """The gateways that Bedside has heard of."""

    async def look() -> set[str]:
        sql = await asyncpg.connect(Home(clinic.home).postgres.dsn())
        try:
            return {row["name"] for row in await sql.fetch("select name from monitoring.gateway")}
        finally:
            await sql.close()

    return asyncio.run(look())


def test_out_of_reach_killed_and_drained_once(clinic: Clinic, tmp_path: Path) -> None:
    token = token_of(clinic)
    card = card_of(clinic, patient_of(token, clinic))
    cards = tmp_path / "cards"
    cards.write_text(json.dumps(card) + "\n")
    gateway = Gateway(tmp_path / "journal", clinic.address, cards)
    auth = (card["username"], card["password"])
    to = f"{gateway.address}/devices/{card['device']}/readings"
    head = {"content-type": "application/senml+json"}
    start = time.time() - 4000
    kept: set[int] = set()
    rng = random.Random(4)

    def hand_in(n: int) -> bool:
        """Again and again until it is kept, as a device does."""
        pack = [{"n": "seq", "v": n}, {"n": "heart-rate", "u": "/min", "v": 60 + n % 40, "t": round(start + n)}]
        try:
            answer = httpx.post(to, json=pack, headers=head, auth=auth, timeout=30)
        except httpx.HTTPError:
            return False
        assert answer.status_code == 202, answer.text
        kept.add(n)
        return True

    assert httpx.post(to, json=[], headers=head, auth=(card["username"], "wrong")).status_code == 401
    assert httpx.post(to, content=b"{}", headers=head, auth=auth).status_code == 400
    for n in range(40):
        assert hand_in(n)
    gateway.drained(60)
    assert (tmp_path / "journal" / "name").read_text().strip() in carriers(clinic)
    clinic.stop()
    for n in range(40, 200):
        if rng.random() < 0.03:
            gateway.kill()
            assert not hand_in(n)
            gateway.start()
        while not hand_in(n):
            time.sleep(0.05)
    assert gateway.health()["waiting"] == 160
    clinic.start()
    # Killed again and again while it passes on: what was passed on and not yet noted is passed on twice, and known.
    for _ in range(5):
        time.sleep(rng.uniform(0.2, 1.2))
        gateway.kill()
        gateway.start()
    gateway.drained(60)
    assert kept == set(range(200))
    found = held(clinic, token, card["device"])
    assert [value for _, value in found] == [60 + n % 40 for n in range(200)]
    assert len({moment for moment, _ in found}) == 200
    assert gateway.health()["refused"] == 0
    gateway.stop()


def test_no_room_and_a_card_that_was_revoked(clinic: Clinic, tmp_path: Path) -> None:
    token = token_of(clinic)
    card = card_of(clinic, patient_of(token, clinic))
    cards = tmp_path / "cards"
    cards.write_text(json.dumps(card) + "\n")
    gateway = Gateway(tmp_path / "journal", clinic.address, cards, "--most-mb", "1")
    auth = (card["username"], card["password"])
    to = f"{gateway.address}/devices/{card['device']}/readings"
    clinic.command("device", "revoke", card["device"])
    at = time.time()
    kept = 0
    while kept < 300:
        names = [{"n": "heart-rate", "u": "/min", "v": 70, "t": round(at - k, 1)} for k in range(100)]
        answer = httpx.post(to, json=names, headers={"content-type": "application/senml+json"}, auth=auth, timeout=30)
        if answer.status_code == 507:
            break
        assert answer.status_code == 202
        kept += 1
    assert 50 < kept < 300, "a journal of 1 MB is full of messages of 5 kB"
    # Nobody will have them, and they wait all the same: a new card would let them through.
    assert gateway.health()["waiting"] == kept
    assert gateway.health()["refused"] == 0
    assert held(clinic, token, card["device"]) == []
    gateway.stop()
