"""With a synchronous receiver nothing acknowledged is lost, not even the last write before the machine died."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from tests.faults.ledger import Entry, Ledger
from tests.faults.test_backup import Again, gone, restored, until
from tests.faults.test_kills import Fhir, Writer
from tools.clinic import Clinic

from bedside.foundation.backup import settings
from bedside.foundation.home import Home

pytestmark = pytest.mark.soak


def test_nothing_is_lost_up_to_the_last_acknowledgement(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    home, store, spool, key = (tmp_path / name for name in ("home", "store", "other-disk", "key"))
    clinic = Clinic(home, patients=4)
    clinic.start()
    request.addfinalizer(clinic.stop)
    told = ("--to", str(store), "--window", "40", "--synchronous", "--spool", str(spool), "--key-file", str(key))
    clinic.command("backup", "init", *told)
    clinic.stop()
    clinic.start()
    until(lambda: settings.state(home).until is not None)
    ledger = Ledger(tmp_path / "writes.ledger")
    with Fhir(clinic) as fhir:
        writer = Writer(fhir, ledger)
        time.sleep(3)
        # Without its receiver the clinic waits, and it does not wait long.
        os.kill((Home(home).running() or {})["processes"]["backup"], signal.SIGKILL)
        many = len(ledger.answered)
        until(lambda: len(ledger.answered) > many + 5, 10)
        time.sleep(1)
        os.kill(clinic.pid, signal.SIGKILL)
        writer.stop()
    clinic.wait_killed()
    until(lambda: gone(home))
    shutil.rmtree(home)
    out = restored(store, key, tmp_path / "home2", "--spool", str(spool))
    again = Clinic(tmp_path / "home2", patients=4)
    again.start()
    try:
        with Again(again, fhir) as back:
            kept = {
                each["id"]: each["name"][0]["family"] for each in back.everything("Patient?given=Ledger&_count=200")
            }
    finally:
        again.stop()
    for name in set(ledger.entries) - set(ledger.answered):  # nobody knows: there or not
        if name in kept:
            ledger.acked(name)
        else:
            ledger.entries.pop(name)
    verdict = ledger.compare(Entry("record", who, family) for who, family in kept.items())
    print(f"\n{verdict}\n{out}")
    assert verdict.sent > 20
    assert verdict.clean, verdict.examples
