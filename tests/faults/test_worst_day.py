"""A clinic's worst days in one: each strikes under load, is told in plain words, and is made good by itself."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.faults.cuffs import Cuff
from tests.faults.ledger import Entry, Ledger
from tests.faults.test_kills import DRAIN, Fhir, Writer, heard_since, patient, pressures
from tests.faults.worst_day import ANSWERS, CASES, Case, Face
from tools.clinic import Clinic

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

RECOVERY = 40.0
QUICK = 6.0
"""Seconds that a case holds in `make test`."""


@contextmanager
def disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A disk of its own for the home, so that filling it fills nobody else's; without root the case is left out."""
    place = folder / "disk"
    place.mkdir()
    if os.geteuid() != 0:
        yield place
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", place], check=True)


def days(folder: Path, cases: Sequence[Case], *, hold: float | None = None) -> None:
    """Play these, one after another, in one clinic under load; prints how long each took to answer again."""
    packs, writes, spent = Ledger(folder / "packs.ledger"), Ledger(folder / "writes.ledger"), list[str]()
    with disk(folder, 900) as place:
        clinic = Clinic(place / "home", patients=2)
        clinic.start()
        try:
            clinic.command(
                "backup", "init", "--to", str(place / "backups"), "--window", "2", "--key-file", str(folder / "key")
            )
            clinic.command("downtime", "init", "--to", str(place / "share"))
            with Fhir(clinic) as fhir:
                who = str(uuid.uuid4())
                assert fhir.put(patient(who, "Cuff"))
                add = ("device", "add", "--kind", "blood-pressure", "--json", "--patient", who)
                cuff = Cuff(json.loads(clinic.command(*add)), who, clinic.mqtt_port, packs, every=0.2)
                writer = Writer(fhir, writes)
                for case in cases:
                    if case.name == "the disk is full" and os.geteuid() != 0:
                        continue
                    spent.append(
                        day(clinic, fhir, case, packs, writes, case.hold if hold is None else min(hold, case.hold))
                    )
                writer.stop()
                assert cuff.drain(DRAIN), "packs that were never acknowledged"
                kept = [
                    (one["id"], one["name"][0]["family"]) for one in fhir.everything("Patient?given=Ledger&_count=200")
                ]
                put = writes.compare(Entry("record", key, family) for key, family in kept if key != who)
                landed = packs.compare(pressures(fhir, [who]))
        finally:
            clinic.stop()
    print("\n" + "\n".join(spent) + f"\npacks: {landed}; writes: {put}")
    assert landed.clean, landed.examples
    assert put.clean, put.examples


def day(clinic: Clinic, fhir: Fhir, case: Case, packs: Ledger, writes: Ledger, hold: float) -> str:
    """One case; what it was like."""
    face = Face(clinic, fhir.headers)
    with case.strike(clinic):
        until = time.monotonic() + hold
        while time.monotonic() < until:
            if not case.away:
                face.look()
            time.sleep(0.2)
    healed = time.monotonic()
    while not (heard_since(packs, healed) and heard_since(writes, healed)):
        assert time.monotonic() - healed < RECOVERY, f"{case.name}: no answer for {RECOVERY} s after it was over"
        time.sleep(0.05)
    again = time.monotonic() - healed
    face.look()
    assert face.slowest < ANSWERS, f"{case.name}: somebody waited {face.slowest:.0f} s for a word"
    told = ", ".join(f"{name} {'/'.join(map(str, sorted(codes)))}" for name, codes in face.told.items())
    return f"  {again:5.1f} s after it was over: {case.name} for {hold:g} s; told {told}; slowest {face.slowest:.1f} s"


def test_the_quick_ones(tmp_path: Path) -> None:
    days(tmp_path, [case for case in CASES if case.quick], hold=QUICK)
