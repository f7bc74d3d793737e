"""N, N + 1, N again, each the program of its time on the same home: what clients were told is kept is there at the end.

N is the program that wrote tests/foundation/earlier/0026.sql, run from its own source. A writer by FHIR, a cuff by MQTT
and a wall's WebSocket stay attached through all of it, and come back by themselves.
"""

from __future__ import annotations

import asyncio
import copy
import re
import subprocess
import time
import uuid
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from tests.faults.cuffs import Cuff
from tests.faults.entering import entered
from tests.faults.ledger import Entry, Ledger
from tests.faults.test_kills import DRAIN, Fhir, Writer, heard_since, patient, pressures
from tests.faults.two_nodes import Wall
from tests.foundation import earlier
from tools.clinic import Clinic
from tools.earlier import tree

from bedside.foundation import steps

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]

COMMIT = re.findall(r"tools\.earlier (\w+)`", earlier.ROWS.read_text(errors="replace").partition("\n")[0])[0]
RECOVERY = 60.0
SERVES = 5.0
"""Seconds for which each version works on after everybody has come back."""


@dataclass(frozen=True, slots=True)
class Plain:
    """The program itself, as Wall wants to reach it."""

    address: str
    trust: None = None


@pytest.fixture
def then(tmp_path: Path) -> Path:
    """The source of N."""
    try:
        return tree(COMMIT, tmp_path / "then")
    except subprocess.CalledProcessError:
        pytest.skip(f"NOT TRIED: this checkout does not hold the history back to {COMMIT}: git fetch --unshallow")


def cookie(clinic: Clinic, name: str) -> str:
    """Of the demo's person, signed in."""
    with entered(clinic, name) as browser:
        return "; ".join(f"{one}={value}" for one, value in browser.cookies.items())


async def back(ledgers: tuple[Ledger, ...], wall: Wall) -> float:
    """Seconds until everybody has heard something new."""
    begun = time.monotonic()
    while not (all(heard_since(one, begun) for one in ledgers) and wall.came and wall.came[-1] > begun):
        heard = [heard_since(one, begun) for one in ledgers]
        assert time.monotonic() - begun < RECOVERY, f"packs, writes: {heard}; wall: {wall.came[-1:]}, now {begun}"
        await asyncio.sleep(0.05)
    return time.monotonic() - begun


async def test_the_program_before_serves_again_after_the_one_that_followed(tmp_path: Path, then: Path) -> None:
    if earlier.NEAR != earlier.REVISION:
        pytest.skip(f"NOT TRIED: a step after {earlier.REVISION} cannot go back")
    packs, writes = Ledger(tmp_path / "packs.ledger"), Ledger(tmp_path / "writes.ledger")
    before = Clinic(tmp_path / "home", patients=1, before=then)
    today = copy.copy(before)
    today.before = None
    said, loop = list[str](), asyncio.to_thread

    async def serve(clinic: Clinic, name: str) -> None:
        await loop(clinic.start)
        took = await back((packs, writes), wall)
        await asyncio.sleep(SERVES)
        said.append(f"{name}: {clinic.seconds:.1f} s to its first page, everybody back {took:.1f} s later")

    await loop(before.start)
    try:
        async with AsyncExitStack() as stack:
            fhir = await loop(Fhir, before)
            stack.enter_context(fhir)
            who = str(uuid.uuid4())
            assert await loop(fhir.put, patient(who, "Cuff"))
            add = ("device", "add", "--kind", "blood-pressure", "--json", "--patient", who)
            card = orjson.loads(await loop(before.command, *add))
            cuff = Cuff(card, who, before.mqtt_port, packs, every=0.2)
            writer = Writer(fhir, writes)
            stack.callback(writer.stop)
            wall = Wall(Plain(before.address), "home-monitoring", cookie(before, "Amina Haddad"))  # type: ignore[arg-type]
            await stack.enter_async_context(wall.open())
            took = await back((packs, writes), wall)
            await asyncio.sleep(SERVES)
            said.append(f"the program of {earlier.REVISION}: {before.seconds:.1f} s to its first page ({took:.1f} s)")

            await loop(before.stop)
            key = tmp_path / "safe" / "key"
            await loop(today.command, "backup", "init", "--to", str(tmp_path / "store"), "--key-file", str(key))
            out = await loop(today.command, "migrate")
            assert "is whole" in out
            await serve(today, f"the program of {steps.revisions()[-1]}")

            await loop(today.stop)
            out = await loop(today.command, "migrate", "--back-to", earlier.REVISION, "--yes")
            assert "is whole" in out
            await serve(before, f"the program of {earlier.REVISION} again")

            await loop(writer.stop)
            assert await loop(cuff.drain, DRAIN), "packs that were never acknowledged"
            kept = await loop(
                lambda: [
                    (one["id"], one["name"][0]["family"]) for one in fhir.everything("Patient?given=Ledger&_count=200")
                ]
            )
            put = writes.compare(Entry("record", key, family) for key, family in kept if key != who)
            landed = await loop(lambda: packs.compare(pressures(fhir, [who])))
            audit = await loop(before.command, "audit", "verify")
    finally:
        await loop(today.stop)
        await loop(before.stop)
    print("\n" + "\n".join(said) + f"\npacks: {landed}; writes: {put}; links of the wall lost: {wall.lost}\n{audit}")
    assert landed.clean, landed.examples
    assert put.clean, put.examples
