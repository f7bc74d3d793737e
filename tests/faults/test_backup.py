"""The worst day: a clinic under load is killed, its home deleted; from the backup everything acknowledged comes back.

The ledger is kept outside. Meanwhile a base, an increment and the log were taken; the moment up to which nothing is
lost is what the backup itself says. Then a restore that is killed and begun anew, to a moment between two writes.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import asyncpg
import httpx
import pytest
from tests.faults.ledger import Entry, Ledger
from tests.faults.test_kills import Fhir, Writer, patient
from tools.clinic import Clinic

from bedside.foundation.backup import check, settings
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.store import Folder
from bedside.foundation.errors import Conflict
from bedside.foundation.home import RESTORING, Home

pytestmark = pytest.mark.faults

WINDOW = 2
MOST_LOST = 60.0


class Again(Fhir):
    """The same client at a restored clinic."""

    def __init__(self, clinic: Clinic, before: Fhir) -> None:
        self.base = f"http://127.0.0.1:{clinic.port}/fhir/R4"
        self.secret, self.token = before.secret, ""
        self.http = httpx.Client(timeout=10)
        self.token_endpoint = before.token_endpoint.replace(before.base.split("/")[2], f"127.0.0.1:{clinic.port}")

    def text(self, path: str) -> bytes:
        return self.http.get(f"{self.base}/{path}", headers=self.headers).raise_for_status().content

    def chart(self, who: str) -> list[str]:
        """What a seeded patient's chart is made of, as references."""
        kinds = ("Condition", "AllergyIntolerance", "MedicationRequest", "Observation")
        found = [f"Patient/{who}"]
        for kind in kinds:
            page = self.everything(f"{kind}?patient={who}&_count=20&_sort=_lastUpdated&_elements=id")
            found += [f"{each['resourceType']}/{each['id']}" for each in islice(page, 20)]
        return found


def until(true: Callable[[], bool], seconds: float = 90) -> None:
    """Wait for it; longer than it takes on a machine that is busy with other things."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def gone(home: Path) -> bool:
    """Whether nothing of that home runs any more."""
    for place in Path("/proc").iterdir():
        if place.name.isdigit():
            try:
                if os.fsencode(home) in (place / "cmdline").read_bytes():
                    return False
            except OSError:
                continue
    return True


def bedside(*words: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "bedside", *words]
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)


def restored(store: Path, key: Path, home: Path, *more: str) -> str:
    done = bedside("restore", "--from", str(store), "--key", str(key), "--home", str(home), *more)
    out, err = done.communicate(timeout=120)
    assert done.returncode == 0, out + err
    return out


async def held(home: Path, ids: tuple[str, ...]) -> set[str]:
    """Which of these patients the database of a home that nobody has started holds."""
    postgres = Home(home).postgres
    postgres.start()
    try:
        connection = await asyncpg.connect(postgres.dsn())
        try:
            rows = await connection.fetch(
                "select id from records.resource where type = 'Patient' and id = any($1)", list(ids)
            )
        finally:
            await connection.close()
    finally:
        postgres.stop()
    return {row["id"] for row in rows}


@pytest.mark.timeout(420)
def test_what_was_acknowledged_comes_back_from_the_backup(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    home, store, key = tmp_path / "home", tmp_path / "store", tmp_path / "safe" / "key"
    ledger = Ledger(tmp_path / "writes.ledger")
    clinic = Clinic(home, patients=2)
    clinic.start()
    request.addfinalizer(clinic.stop)
    with Fhir(clinic) as fhir:
        writer = Writer(fhir, ledger)
        clinic.command("backup", "init", "--to", str(store), "--window", str(WINDOW), "--key-file", str(key))
        until(lambda: settings.state(home).until is not None)
        first, second = str(uuid.uuid4()), str(uuid.uuid4())
        assert fhir.put(patient(first, "Before"))
        time.sleep(0.3)
        between = datetime.now(UTC)
        time.sleep(0.3)
        assert fhir.put(patient(second, "After"))
        same = Again(clinic, fhir)
        same.token = fhir.token
        seeded = next(
            each["id"] for each in same.everything("Patient?_count=20") if each["name"][0]["given"] == ["Rosa"]
        )
        chart = [f"Patient/{first}", *same.chart(seeded)]
        before = [same.text(each) for each in chart]
        same.http.close()
        told = clinic.command("backup")  # an increment, the load going on
        assert "(incremental) is whole" in told
        assert "whole" in clinic.command("backup", "verify", "--key", str(key))
        time.sleep(WINDOW)
        os.kill(clinic.pid, signal.SIGKILL)
        killed = datetime.now(UTC)
        writer.stop()
    clinic.wait_killed()
    until(lambda: gone(home))
    shutil.rmtree(home)

    sets = check.listing(Folder(store), RecoveryKey.read(key.read_text()).signer().public).sets
    assert [one.kind for one in sets] == ["full", "incremental"]
    moment = sets[-1].until
    lost = (killed - moment).total_seconds()
    assert lost <= MOST_LOST
    begun = time.monotonic()
    out = restored(store, key, tmp_path / "home2")
    took = time.monotonic() - begun
    assert f"acknowledged up to {moment:%Y-%m-%d %H:%M:%S} UTC is there" in out
    # Wall time of each answer; what was answered after the moment may be there or not.
    shift = datetime.now(UTC).timestamp() - time.monotonic()
    late = {name for name, at in ledger.answered.items() if at + shift > moment.timestamp()}
    again = Clinic(tmp_path / "home2", patients=2)
    again.start()
    try:
        with Again(again, fhir) as back:
            kept = [
                (each["id"], each["name"][0]["family"]) for each in back.everything("Patient?given=Ledger&_count=200")
            ]
            there = {who for who, _ in kept}
            assert [back.text(each) for each in chart] == before
        whole = again.command("audit", "verify")
    finally:
        again.stop()
    for name in (*late, *(set(ledger.entries) - set(ledger.answered))):
        if name not in there:
            ledger.entries.pop(name)
            ledger.answered.pop(name, None)
        elif name not in ledger.answered:
            ledger.acked(name)
    verdict = ledger.compare(Entry("record", who, family) for who, family in kept if who not in {first, second})
    print(
        f"\n{verdict}; killed {lost:.1f} s after the last archived moment, {len(late)} answered in between; "
        f"restored in {took:.1f} s; {len(chart)} resources of a chart equal byte for byte\n{out}{whole}"
    )
    assert verdict.sent > 20
    assert len(chart) > 5
    assert verdict.clean, verdict.examples
    assert {first, second} <= there

    # To a moment between two writes; the first try is killed, and nothing starts on what it left.
    third = tmp_path / "home3"
    wish = ("--until", between.isoformat())
    dying = bedside("restore", "--from", str(store), "--key", str(key), "--home", str(third), *wish)
    until((third / RESTORING).exists)
    dying.kill()
    dying.communicate()
    with pytest.raises(Conflict, match="half restored"):
        Home(third).check(demo=True)
    until(lambda: gone(third))
    restored(store, key, third, *wish)
    assert asyncio.run(held(third, (first, second))) == {first}
