"""Killed after the commit and before the acknowledgement: sent again, it is there once, and answered AA."""

from __future__ import annotations

import os
import signal
import time
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

ROUNDS = 5
SECONDS = 30.0
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


def test_committed_and_not_acknowledged_is_kept_once_and_acknowledged(tmp_path: Path) -> None:
    flag, before = tmp_path / "kill", tmp_path / "before"
    before.mkdir()
    (before / "sitecustomize.py").write_text(KILLING.format(flag=str(flag)))
    clinic = Clinic(tmp_path / "home", patients=4, before=before)
    clinic.start()
    try:
        words = ("--application", "MON", "--facility", "ICU", "--authority", f"WARD={SYSTEM}")
        clinic.command("interface", "add", "ward", *words)
        with Fhir(clinic) as fhir:
            body = {"resourceType": "Patient", "id": "mllp", "identifier": [{"system": SYSTEM, "value": "4711"}]}
            assert fhir.put(body)
            for n in range(ROUNDS):
                message = oru(obx(value=str(70 + n), at=f"2026112112{n:02d}00+0000"), head=msh(f"k{n}"), pid=PATIENT)
                flag.touch()
                assert answered(clinic, message) is None, "the answer was to be lost"
                assert not flag.exists()
                lost_at = time.monotonic()
                while (again := answered(clinic, message)) is None:
                    assert time.monotonic() - lost_at < 20
                assert again == ("AA", f"k{n}")
                found = list(fhir.everything("Observation?patient=mllp&code=http://loinc.org|8867-4"))
                assert sorted(one["valueQuantity"]["value"] for one in found) == [70 + k for k in range(n + 1)]
                print(f"round {n}: acknowledged {time.monotonic() - lost_at:.2f} s after the kill")
    finally:
        clinic.stop()


def test_what_was_acknowledged_is_there_once_whatever_is_killed(tmp_path: Path) -> None:
    """A sender that repeats until AA, as engines do, while PostgreSQL, NATS and the ingest process are killed."""
    clinic = Clinic(tmp_path / "home", patients=4)
    clinic.start()
    try:
        words = ("--application", "MON", "--facility", "ICU", "--authority", f"WARD={SYSTEM}")
        clinic.command("interface", "add", "ward", *words)
        with Fhir(clinic) as fhir:
            assert fhir.put(
                {"resourceType": "Patient", "id": "mllp", "identifier": [{"system": SYSTEM, "value": "4711"}]}
            )
            acknowledged: list[int] = []
            repeats = rejected = 0
            targets = iter(("ingest", "PostgreSQL", "NATS", "PostgreSQL", "ingest"))
            begun = next_kill = time.monotonic()
            while time.monotonic() - begun < SECONDS:
                if time.monotonic() >= next_kill and (target := next(targets, None)) is not None:
                    next_kill += SECONDS / 6
                    running = Home(clinic.home).running()
                    assert running is not None
                    os.kill(running["processes"][target], signal.SIGKILL)
                n = len(acknowledged)
                at = f"20261121{n // 3600:02d}{n // 60 % 60:02d}{n % 60:02d}+0000"
                message = oru(obx(value=str(60 + n % 60), at=at), head=msh(f"n{n}"), pid=PATIENT)
                while (answer := answered(clinic, message)) != ("AA", f"n{n}"):
                    repeats += 1
                    rejected += answer is not None
                    assert answer is None or answer[0] == "AR", answer
                    time.sleep(0.1)
                acknowledged.append(60 + n % 60)
            found = list(fhir.everything("Observation?patient=mllp&code=http://loinc.org|8867-4&_count=200"))
            got = sorted((one["effectiveDateTime"], one["valueQuantity"]["value"]) for one in found)
            assert [value for _, value in got] == acknowledged
            print(
                f"{len(acknowledged)} acknowledged, {repeats} sent again ({rejected} after AR), none lost, none twice"
            )
            assert repeats
    finally:
        clinic.stop()


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
