"""Each process and engine is killed in turn under load; what was acknowledged is there, once, and alarms are raised.

The ledger is kept outside. Cuffs repeat their packs until Bedside's own acknowledgement; a writer puts patients by FHIR
until it is told that they are kept. Figures are printed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
from tests.faults.cuffs import Cuff
from tests.faults.ledger import Entry, Ledger
from tools.clinic import Clinic, running
from typer.testing import CliRunner

from bedside.cli import cli
from bedside.foundation.home import Home

pytestmark = pytest.mark.faults

TARGETS = ("ingest", "PostgreSQL", "worker", "NATS", "web")
BESIDE = "second ingest"
CUFFS = 6
DAY = 86400.0
WRONG_CLOCKS = {3: DAY, 4: -DAY}
"""Of which cuffs, in seconds. What they send is kept, and raises no live alarm."""
THRICE = (1, 3)
"""These send each pack three times, in random order."""
RECOVERY = 20.0
DRAIN = 60.0


class Fhir:
    """A backend client of the record, by its public door."""

    def __init__(self, clinic: Clinic) -> None:
        self.base = f"http://127.0.0.1:{clinic.port}/fhir/R4"
        made = json.loads(clinic.command("client", "add", "ledger", "--scope", "system/*.cruds", "--json"))
        self.secret = (made["client_id"], made["client_secret"])
        self.http = httpx.Client(timeout=10)
        discovery = self.http.get(f"{self.base}/.well-known/smart-configuration").raise_for_status().json()
        self.token_endpoint = discovery["token_endpoint"].replace("localhost", "127.0.0.1")
        self.token = ""

    def __enter__(self) -> Fhir:
        answer = self.http.post(
            self.token_endpoint,
            auth=self.secret,
            data={"grant_type": "client_credentials", "scope": "system/*.cruds"},
        )
        self.token = answer.raise_for_status().json()["access_token"]
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}", "content-type": "application/fhir+json"}

    def put(self, resource: dict[str, Any]) -> bool:
        """Whether it was acknowledged; False when nobody can tell."""
        try:
            url = f"{self.base}/{resource['resourceType']}/{resource['id']}"
            return self.http.put(url, json=resource, headers=self.headers).status_code in (200, 201)
        except httpx.HTTPError:
            return False

    def everything(self, query: str) -> Iterator[dict[str, Any]]:
        """Every resource that a search finds, page after page."""
        url: str | None = f"{self.base}/{query}"
        while url:
            page = self.http.get(url.replace("localhost", "127.0.0.1"), headers=self.headers).raise_for_status().json()
            yield from (each["resource"] for each in page.get("entry", []))
            url = next((link["url"] for link in page["link"] if link["relation"] == "next"), None)


def patient(who: str, family: str) -> dict[str, Any]:
    """A patient resource."""
    return {
        "resourceType": "Patient",
        "id": who,
        "name": [{"family": family, "given": ["Ledger"]}],
        "gender": "female",
        "birthDate": "1960-02-03",
    }


class Beside:
    """A second ingest process, which shares the devices with the program's own; it is started again when it ended."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def see(self) -> None:
        """It runs."""
        if self._process is None or self._process.poll() is not None:
            command = [sys.executable, "-m", "bedside", "ingest", "--home", str(self._home)]
            with self._home.with_name("beside.log").open("ab") as log:
                self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Without a word."""
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait(20)

    def __enter__(self) -> Beside:
        self.see()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill(signal.SIGTERM)


class Writer:
    """Puts patients by FHIR, one after another, each until it is acknowledged."""

    def __init__(self, fhir: Fhir, ledger: Ledger) -> None:
        self.fhir, self.ledger = fhir, ledger
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _work(self) -> None:
        n = 0
        while not self._over.is_set():
            n += 1
            who = str(uuid.uuid4())
            self.ledger.sending(Entry("record", who, f"Family{n}"))
            while not self.fhir.put(patient(who, f"Family{n}")):
                if self._over.wait(0.1):
                    return
            self.ledger.acked(who)
            time.sleep(0.05)

    def stop(self) -> None:
        """After the one under way is acknowledged."""
        self._over.set()
        self._thread.join(DRAIN)


def carded(clinic: Clinic, who: str) -> dict[str, str]:
    """A cuff's card, by the command within this process: each of its own starts costs a second."""
    words = ("device", "add", "--kind", "blood-pressure", "--json", "--patient", who, "--home", str(clinic.home))
    done = CliRunner().invoke(cli, words)
    assert done.exit_code == 0, done.output
    card: dict[str, str] = json.loads(done.stdout)
    return card


def kill(clinic: Clinic, name: str) -> None:
    """SIGKILL one process of the installation, by the process id that its home tells."""
    facts = Home(clinic.home).running()
    assert facts is not None
    os.kill(facts["processes"][name], signal.SIGKILL)


def heard_since(ledger: Ledger, moment: float) -> bool:
    return any(at > moment for at in list(ledger.answered.values())[-50:])


def recover(strike: Callable[[], None], name: str, ledger: Ledger, writes: Ledger) -> float:
    """Seconds from the strike until packs and writes that were answered after it."""
    begun = time.monotonic()
    strike()
    # What was under way at the kill may still answer; an answer after a short while is a new one.
    settled = begun + 0.3
    while not (heard_since(ledger, settled) and heard_since(writes, settled)):
        assert time.monotonic() - begun < RECOVERY, f"{name} killed: no answer for {RECOVERY} s"
        time.sleep(0.02)
    return time.monotonic() - begun


def pressures(fhir: Fhir, patients: list[str]) -> Iterator[Entry]:
    """Every blood-pressure panel of these patients, as the ledger names them."""
    for who in patients:
        for panel in fhir.everything(f"Observation?patient={who}&code=85354-9&_count=200"):
            moment = round(datetime.fromisoformat(panel["effectiveDateTime"]).timestamp() * 1000)
            parts = {part["code"]["coding"][0]["code"]: part["valueQuantity"]["value"] for part in panel["component"]}
            owner = panel["subject"]["reference"].removeprefix("Patient/")
            yield Entry(owner, f"{owner}@{moment}", f"{parts['8480-6']:g}/{parts['8462-4']:g}")


async def high_alarms(clinic: Clinic, patients: list[str]) -> dict[str, int]:
    """How often a high alarm was raised for each patient."""
    connection = await asyncpg.connect(Home(clinic.home).postgres.dsn())
    try:
        rows = await connection.fetch(
            "select patient, count(*) from monitoring.alarm where priority = 'high' and patient = any($1) group by 1",
            patients,
        )
    finally:
        await connection.close()
    return {row[0]: row[1] for row in rows}


def rounds_of_kills(folder: Path, rounds: int, seed: int) -> None:
    """The whole proof, with as many rounds as wanted; prints its figures."""
    chance = random.Random(seed)
    ledger, writes = Ledger(folder / "packs.ledger"), Ledger(folder / "writes.ledger")
    with running(folder / "home", patients=4) as clinic, Fhir(clinic) as fhir, Beside(clinic.home) as beside:
        patients = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(CUFFS)]
        for n, who in enumerate(patients):
            assert fhir.put(patient(who, f"Cuff{n}"))
        cards = [carded(clinic, who) for who in patients]
        cuffs = [
            Cuff(
                *(card, who, clinic.mqtt_port, ledger),
                every=0.1,
                clock=WRONG_CLOCKS.get(n, 0.0),
                thrice=n in THRICE,
            )
            for n, (card, who) in enumerate(zip(cards, patients, strict=True))
        ]
        writer = Writer(fhir, writes)
        times: dict[str, list[float]] = {name: [] for name in (*TARGETS, BESIDE)}
        for n in range(rounds):
            for at, name in enumerate(chance.sample(list(times), len(times))):
                if (n, at) == (0, len(times) // 2):
                    # From here on every cuff is high: one episode each, through the kills that follow.
                    for cuff in cuffs:
                        cuff.systolic = 190
                time.sleep(chance.uniform(0.2, 1.0))
                beside.see()
                strike = beside.kill if name == BESIDE else partial(kill, clinic, name)
                times[name].append(recover(strike, name, ledger, writes))
        writer.stop()
        drained = [cuff.drain(DRAIN) for cuff in cuffs]
        packs = ledger.compare(pressures(fhir, patients))
        kept = [(each["id"], each["name"][0]["family"]) for each in fhir.everything("Patient?given=Ledger&_count=200")]
        put = writes.compare(Entry("record", who, family) for who, family in kept if who not in patients)
        alarms = asyncio.run(high_alarms(clinic, patients))
    print(f"\nkills of each: {rounds}, seed {seed}; packs: {packs}; writes: {put}")
    print("seconds to answer again, worst: " + ", ".join(f"{name} {max(spent):.1f}" for name, spent in times.items()))
    print(
        f"nothing of {packs.sent + put.sent} in {rounds * len(times)} kills: at most {3 / (packs.sent + put.sent):.2g}"
    )
    print(f"high alarms of each patient whose pressure was high: {sorted(alarms.values())}")
    assert all(drained), "packs that were never acknowledged"
    assert packs.clean, packs.examples
    assert put.clean, put.examples
    assert alarms == {who: 1 for n, who in enumerate(patients) if n not in WRONG_CLOCKS}


def test_nothing_acknowledged_is_lost_whatever_is_killed(tmp_path: Path) -> None:
    rounds_of_kills(tmp_path, rounds=1, seed=20261121)
