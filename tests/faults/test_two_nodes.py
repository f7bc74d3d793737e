"""A machine of two goes, orderly or not: visits and walls are back by themselves within ten seconds, and every reading
that was sent is there once. One PostgreSQL, three NATS in a cluster, nginx in front."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from tests.conftest import TEMPLATE, migrated
from tests.faults.two_nodes import Front, Linked, Node, VisitPage, Wall
from tests.monitoring.cluster import Member, Sender, three

from bedside import access, monitoring, records, visits
from bedside.access import settings as access_settings
from bedside.access import testing as access_testing
from bedside.access.service.sessions import cookie_name, open_session
from bedside.foundation import private
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.engines import Postgres
from bedside.monitoring import subscribers as monitoring_subscribers
from bedside.visits import subscribers as visits_subscribers

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]

for _governed in (*visits_subscribers.GOVERNED, *monitoring_subscribers.GOVERNED):
    records.govern(_governed)
for _provider in monitoring_subscribers.READ_PROVIDERS:
    records.provide(_provider)

MOST_SILENT = 10.0
DEVICES = 4
EVERY = 0.1
BEFORE, AFTER = 3.0, 12.0
READY = 120.0
HOME = visits.Place("US", "NY", "1 Main St, Albany", "+1 518 555 0101")


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """One that others run, for two machines of 26 connections each."""
    with migrated(tmp_path_factory.mktemp("pg") / "p", max_connections="120") as engine:
        yield engine


@dataclass
class Clinic:
    ctx: Ctx
    visit: str
    cookies: dict[str, str]
    cards: list[tuple[monitoring.DeviceCredentials, str]]


@pytest.fixture
async def ctx(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Ctx]:
    database = await Database.connect(postgres.dsn(TEMPLATE))
    actor = Actor("job", "tests", "tests", roles=frozenset({"system"}))
    access_settings.use(database, access_settings.Settings(home=tmp_path / "first", public_url="https://localhost"))
    yield Ctx(actor, "HOPERAT", 1, SystemClock(), database, no_bus(), origin="tests")
    await database.close()


async def founded(ctx: Ctx) -> Clinic:
    """A ward with a nurse, a patient with devices, a clinician; a visit that the two are about to enter."""
    record, today = str(uuid4()), datetime.now(UTC).date()
    async with access.work(ctx, "set the scene") as inner:
        name = [{"family": "Test", "given": ["Rosa"]}]
        await records.update(inner, {"resourceType": "Patient", "id": record, "name": name, "birthDate": "1955-01-02"})
        await access.add_place(inner, "ward", "Ward", "ward")
        await access.place_patient(inner, record, "ward")
        people = {
            role: await access.add_person(
                inner,
                access.NewPerson(
                    name=f"Test {role}", roles=frozenset({role}), patient=record if role == "patient" else None
                ),
            )
            for role in ("clinician", "nurse", "patient")
        }
        await access.set_duty(inner, person=people["nurse"].id, place="ward", role="nurse")
        dates = (today - timedelta(900), today + timedelta(900), today)
        licence = access.Licence(people["clinician"].id, "US-NY", "1", "full", *dates, "board")
        await access.add_licence(inner, licence)
        cards = [
            (await monitoring.add_device(inner, monitoring.NewDevice("blood-pressure", record)), record)
            for _ in range(DEVICES)
        ]
        cookies = {
            role: f"{cookie_name(inner)}={(await open_session(inner, person)).token}" for role, person in people.items()
        }
    as_ = {role: access_testing.acting(ctx, person) for role, person in people.items()}
    async with access.work(as_["nurse"], "asked") as inner:
        visit = await visits.ask(inner, record, "Pressure 178/112", clinician=people["clinician"].id)
    async with access.work(as_["clinician"], "took") as inner:
        await visits.take(inner, visit.id)
        await visits.invite(inner, visit.id, "https://localhost/")
    async with access.work(as_["patient"], "arrived") as inner:
        await visits.arrive(inner, visit.id, HOME, True, home="US")
    return Clinic(ctx, visit.id, cookies, cards)


async def ready(*nodes: Node) -> None:
    until = time.monotonic() + READY
    while not all([await asyncio.to_thread(node.ready) for node in nodes]):
        for node in nodes:
            assert node.process is not None
            assert node.process.poll() is None, node.told()
        assert time.monotonic() < until, [node.told() for node in nodes]
        await asyncio.sleep(0.2)


async def measured(senders: list[Sender], seconds: float) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for n, sender in enumerate(senders):
            sender.measure(110 + (sender.seq + n) % 20)
            sender.repeat()
        await asyncio.sleep(EVERY)


async def talking(pages: list[Linked]) -> None:
    """Until each is linked and hears what it waits for."""
    until, since = time.monotonic() + READY, time.monotonic()
    while not all(page.came and page.came[-1] > since for page in pages):
        assert time.monotonic() < until, [(type(page).__name__, page.lost, len(page.came)) for page in pages]
        await asyncio.sleep(0.1)


async def landed(ctx: Ctx, senders: list[Sender], within: float = 40.0) -> int:
    """Every reading that was ever sent is there, once; how many."""
    until = time.monotonic() + within
    while any(sender.waiting for sender in senders):
        assert time.monotonic() < until, [len(sender.waiting) for sender in senders]
        for sender in senders:
            sender.repeat()
        await asyncio.sleep(0.1)
    async with ctx.database.transaction() as sql:
        held = await sql.fetch(
            """select d.name, count(*) as readings, count(distinct t) as moments from monitoring.pack p
               join monitoring.device d on d.number = p.device, unnest(p.time) t group by 1"""
        )
    sent = {sender.card.device: sender.seq for sender in senders}
    assert {row["name"]: row["readings"] for row in held} == sent
    assert {row["name"]: row["moments"] for row in held} == sent
    return sum(sent.values())


def asked_to_end(node: Node, _: Member) -> None:
    node.send(signal.SIGTERM)


def machine_dies(node: Node, member: Member) -> None:
    """With the NATS server that it runs."""
    assert member.process is not None
    os.kill(member.process.pid, signal.SIGKILL)
    node.killed()


async def test_one_of_two_machines_goes(
    ctx: Ctx, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEDSIDE_NATS_COPIES", "3")
    front = Front(tmp_path / "nginx")
    with three(tmp_path / "nats") as members:
        nats = ",".join(one.url for one in members)
        keys = tmp_path / "first" / "keys"
        private.write(keys / "callout.nk", members[0].login().seed.decode())
        clinic = await founded(ctx)
        nodes = [Node(tmp_path / name, keys, front, postgres.dsn(TEMPLATE), nats) for name in ("a", "b")]
        try:
            for node in nodes:
                node.launch()
            await ready(*nodes)
            with front.open((nodes[0].port, nodes[1].port)):
                said = await _struck(clinic, front, nodes, members)
        finally:
            for node in nodes:
                node.end()
    print("\n" + "\n".join(said))


async def _struck(clinic: Clinic, front: Front, nodes: list[Node], members: list[Member]) -> list[str]:
    pages: list[Linked] = [
        VisitPage(front, clinic.visit, clinic.cookies["patient"]),
        VisitPage(front, clinic.visit, clinic.cookies["clinician"]),
        Wall(front, "ward", clinic.cookies["nurse"]),
    ]
    one, other = pages[0], pages[1]
    assert isinstance(one, VisitPage)
    assert isinstance(other, VisitPage)
    one.other, other.other = other, one
    ports, said = [member.mqtt_port for member in members], list[str]()
    senders = [Sender(card, patient, ports, n) for n, (card, patient) in enumerate(clinic.cards)]
    try:
        async with AsyncExitStack() as stack:
            for page in pages:
                await stack.enter_async_context(page.open())
                await asyncio.sleep(0.3)  # nginx gives each the next machine
            for gone, strike in ((nodes[0], asked_to_end), (nodes[1], machine_dies)):
                await talking(pages)
                await measured(senders, BEFORE)
                before, since = [page.lost for page in pages], time.monotonic()
                await asyncio.to_thread(strike, gone, members[0])
                await measured(senders, AFTER)
                silent = [page.longest(since, time.monotonic()) for page in pages]
                lost = [page.lost - was for page, was in zip(pages, before, strict=True)]
                many = await landed(clinic.ctx, senders)
                said.append(
                    f"{strike.__name__}: nothing came for {silent[0]:.1f} s and {silent[1]:.1f} s in the visit, "
                    f"{silent[2]:.1f} s at the wall (links lost: {lost}); {many} readings, each there once"
                )
                assert sum(lost), "nobody was at the machine that went"
                assert max(silent) < MOST_SILENT, said
                answer = await asyncio.to_thread(httpx.get, f"{front.address}/readyz", verify=front.trust, timeout=10)
                assert answer.status_code == 200
                if strike is asked_to_end:
                    assert gone.process is not None
                    await asyncio.to_thread(gone.process.wait, 20)
                    gone.launch()
                    await ready(gone)
                    await asyncio.sleep(3)  # nginx asks it again
    finally:
        for sender in senders:
            with contextlib.suppress(OSError):
                sender.client.disconnect()
            sender.client.loop_stop()
    return said
