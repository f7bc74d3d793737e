"""Killed after the commit and before the acknowledgement: sent again, it is there once, and answered AA."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import hl7
import pytest
from hl7.client import MLLPClient
from hl7.exceptions import HL7Exception
from tests.exchange.oru import SYSTEM, msh, obx, oru
from tests.faults.test_kills import Fhir
from tools.clinic import Clinic

from bedside.foundation.home import Home

pytestmark = pytest.mark.faults

ROUNDS = 2
KILLED = ("ingest", "PostgreSQL", "NATS")
EVERY = 3.0
"""Seconds from one kill to the next."""
# Before any module of ours: the ingest process kills itself when it has an answer to send, while the flag lies there.
KILLING = """
import os, pathlib, signal, sys
from importlib.abc import MetaPathFinder
from importlib.util import find_spec

FLAG = pathlib.Path({flag!r})
NAME = "bedside.exchange.service.door"


class Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name != NAME:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            real = module.send

            async def send(writer, answers):
                if FLAG.exists():
                    FLAG.unlink()
                    os.kill(os.getpid(), signal.SIGKILL)
                await real(writer, answers)

            module.send = send

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Finder())
"""


@dataclass(frozen=True, slots=True)
class Ward:
    """A clinic with an interface for a ward's monitors, and one patient of theirs."""

    clinic: Clinic
    fhir: Fhir
    flag: Path
    """While it lies there, the ingest process kills itself when it has an answer to send."""

    def pulses(self) -> list[tuple[str, float]]:
        """Every one that is kept: when, and what, in the order of time."""
        found = self.fhir.everything("Observation?patient=mllp&code=http://loinc.org|8867-4&_count=200")
        return sorted((one["effectiveDateTime"], one["valueQuantity"]["value"]) for one in found)


@contextmanager
def ward(folder: Path) -> Iterator[Ward]:
    flag, before = folder / "kill", folder / "before"
    before.mkdir()
    (before / "sitecustomize.py").write_text(KILLING.format(flag=str(flag)))
    clinic = Clinic(folder / "home", patients=1, before=before)
    clinic.start()
    try:
        words = ("--application", "MON", "--facility", "ICU", "--authority", f"WARD={SYSTEM}")
        clinic.command("interface", "add", "ward", *words)
        with Fhir(clinic) as fhir:
            body = {"resourceType": "Patient", "id": "mllp", "identifier": [{"system": SYSTEM, "value": "4711"}]}
            assert fhir.put(body)
            yield Ward(clinic, fhir, flag)
    finally:
        clinic.stop()


def answers_lost(ward: Ward, rounds: int) -> None:
    """The ingest process is killed after the commit and before the answer, each time."""
    for n in range(rounds):
        message = oru(obx(value=str(70 + n), at=f"20261120{n:04d}00+0000"), head=msh(f"k{n}"), pid=PATIENT)
        ward.flag.touch()
        assert answered(ward.clinic, message) is None, "the answer was to be lost"
        assert not ward.flag.exists()
        lost_at = time.monotonic()
        while (again := answered(ward.clinic, message)) is None:
            assert time.monotonic() - lost_at < 20
        assert again == ("AA", f"k{n}")
        assert [value for _, value in ward.pulses()] == [70 + k for k in range(n + 1)]
        print(f"round {n}: acknowledged {time.monotonic() - lost_at:.2f} s after the kill")


def anything_killed(ward: Ward, killed: Sequence[str], every: float) -> None:
    """A sender that repeats until AA, as engines do, while engines and ingest are killed one after another."""
    before = len(ward.pulses())
    acknowledged: list[int] = []
    repeats = rejected = 0
    targets = iter(killed)
    begun = next_kill = time.monotonic()
    while time.monotonic() - begun < every * len(killed):
        if time.monotonic() >= next_kill and (target := next(targets, None)) is not None:
            next_kill += every
            running = Home(ward.clinic.home).running()
            assert running is not None
            os.kill(running["processes"][target], signal.SIGKILL)
        n = len(acknowledged)
        at = f"20261121{n // 3600:02d}{n // 60 % 60:02d}{n % 60:02d}+0000"
        message = oru(obx(value=str(60 + n % 60), at=at), head=msh(f"n{n}"), pid=PATIENT)
        while (answer := answered(ward.clinic, message)) != ("AA", f"n{n}"):
            repeats += 1
            rejected += answer is not None
            assert answer is None or answer[0] == "AR", answer
            time.sleep(0.1)
        acknowledged.append(60 + n % 60)
    assert [value for _, value in ward.pulses()[before:]] == acknowledged
    print(f"{len(acknowledged)} acknowledged, {repeats} sent again ({rejected} after AR), none lost, none twice")
    assert repeats


def test_what_was_committed_or_acknowledged_is_there_once_whatever_is_killed(tmp_path: Path) -> None:
    with ward(tmp_path) as made:
        answers_lost(made, ROUNDS)
        anything_killed(made, KILLED, EVERY)


PATIENT = "PID|||4711^^^WARD^MR"


def answered(clinic: Clinic, message: bytes) -> tuple[str, str] | None:
    """MSA-1 and MSA-2; None when no answer came."""
    try:
        with MLLPClient("127.0.0.1", clinic.mllp_port) as link:
            link.socket.settimeout(20)
            answer = link.send_message(message)
    except (OSError, HL7Exception):
        return None
    if not answer:
        return None
    found = hl7.parse(answer.strip(b"\x0b\x1c\r").decode()).segment("MSA")
    return str(found[1]), str(found[2])
