"""A clinic's worst days in one: each strikes under load, is told in plain words, and is made good by itself."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.faults.cuffs import Cuff
from tests.faults.ledger import Entry, Ledger
from tests.faults.test_kills import DRAIN, Fhir, Writer, heard_since, patient, pressures
from tests.faults.worst_day import ANSWERS, CASES, CLOCKS, Case, Face, clock_of, faketime
from tests.foundation.program import Program
from tools.clinic import Clinic

from bedside.foundation import certificates

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

RECOVERY = 40.0
SHORT = 10
"""Seconds that a certificate lasts: it is taken up within 5."""
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


def days(
    folder: Path, cases: Sequence[Case], *, hold: float | None = None, begin: Callable[[Clinic], None] | None = None
) -> None:
    """Play these, one after another, in one clinic under load; prints how long each took to answer again.

    begin: done with the clinic before it is started.
    """
    packs, writes, spent = Ledger(folder / "packs.ledger"), Ledger(folder / "writes.ledger"), list[str]()
    with disk(folder, 900) as place:
        clinic = Clinic(place / "home", patients=2)
        if begin is not None:
            begin(clinic)
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


CLOCK = """
import os, time
from datetime import UTC, datetime, timedelta
from bedside.foundation.clock import SystemClock

real = time.time

def off():
    with open({file!r}) as file:
        return int(file.read() or 0)

SystemClock.now = lambda self: datetime.fromtimestamp(real() + off(), UTC)
time.time = lambda: real() + off()
if {library!r}:  # for the database that it starts; in Python itself libfaketime breaks time.sleep
    os.environ |= {{"LD_PRELOAD": {library!r}, "FAKETIME_TIMESTAMP_FILE": {file!r}, "FAKETIME_CACHE_DURATION": "1",
                    "FAKETIME_DONT_RESET": "1", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}}
"""


def wrong_clocks(folder: Path, cases: Sequence[Case], hold: float | None) -> None:
    """The program's clock, and its database's where libfaketime is installed; the test's own, and so the devices',
    stays right."""
    library = faketime()
    if library is None:
        print("NOT TRIED with the database's clock: libfaketime is not installed here: apt-get install libfaketime")

    def begin(clinic: Clinic) -> None:
        clock_of(clinic).write_text("+0\n")
        clinic.before = folder / "before"
        clinic.before.mkdir()
        words = CLOCK.format(file=str(clock_of(clinic)), library=str(library or ""))
        (clinic.before / "sitecustomize.py").write_text(words)

    days(folder, cases, hold=hold, begin=begin)


def test_the_clock_jumps(tmp_path: Path) -> None:
    wrong_clocks(tmp_path, [case for case in CLOCKS if case.quick], QUICK)


def pair_until(folder: Path, end: datetime) -> certificates.Pair:
    """A certificate for localhost that ends then, and its key."""
    secret, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a")]),
    )
    made = (
        x509.CertificateBuilder(name, name, secret.public_key(), x509.random_serial_number())
        .not_valid_before(end - timedelta(days=90))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(secret, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(secret.private_bytes(serialization.Encoding.PEM, form, plain))
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return folder / "cert.pem", folder / "key.pem"


def refused(program: Program, pair: certificates.Pair) -> str:
    """Why a browser that trusts it does not connect; "" where it does."""
    program.trust = ssl.create_default_context(cafile=str(pair[0]))
    try:
        assert program.get("/healthz")[0] == 200
    except OSError as error:
        return str(error)
    return ""


def test_a_certificate_that_has_expired_or_expires(tmp_path: Path) -> None:
    """It is said in three places with what to do, nothing else stops, and a newer one is all that is missing."""
    live = pair_until(tmp_path / "live", datetime.now(UTC) - timedelta(days=3))
    program = Program(tmp_path / "home", options=("--tls-cert", str(live[0]), "--tls-key", str(live[1])))
    program.scheme = "https"

    def ready() -> bool:
        program.trust = ssl.create_default_context()
        program.trust.check_hostname, program.trust.verify_mode = False, ssl.CERT_NONE
        return program.ready()

    def put(pair: certificates.Pair) -> None:
        for new, old in zip(pair, live, strict=True):
            new.replace(old)

    def doctor() -> str:
        words = (sys.executable, "-m", "bedside", "doctor", "--home", str(program.home))
        return subprocess.run(
            words, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1"}
        ).stdout

    def came(true: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                return False
            time.sleep(0.2)
        return True

    try:
        # At the start.
        program.launch()
        assert came(ready, 180), program.told()
        assert "expired 3 days ago" in program.told()
        assert "Put a newer one there" in program.told()
        assert came(lambda: "has expired" in refused(program, live), 60)
        assert "expired 3 days ago: browsers and devices refuse" in doctor()
        # A newer one, which ends soon; on a machine that is too busy to take it up before, one that ends later.
        for lasts in (SHORT, 6 * SHORT):
            ends = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=lasts)
            put(pair_until(tmp_path / f"fresh-{lasts}", ends))
            if came(lambda: refused(program, live) == "", lasts - 2):
                break
        else:
            pytest.fail(program.told())
        # While it runs.
        time.sleep(max(0.0, (ends - datetime.now(UTC)).total_seconds()) + 1)
        assert came(lambda: "has expired" in refused(program, live), 60)
        assert came(ready, 60), "whoever does not look at dates is still served"
        assert "browsers and devices refuse" in doctor()
        put(pair_until(tmp_path / "again", datetime.now(UTC) + timedelta(days=90)))
        assert came(lambda: refused(program, live) == "", 90), program.told()
    finally:
        program.end()
