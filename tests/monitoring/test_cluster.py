"""Three NATS servers in a cluster, one of them killed under load: nothing is lost, and no alarm is late."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import paho.mqtt.client as paho
import pytest
from nats.errors import Error as NatsError
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from bedside import access, monitoring
from bedside.foundation import private
from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.foundation.engines.nats import free_port
from bedside.monitoring import settings
from bedside.monitoring.testing import ingesting, pack

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("patients")]

DEVICES = 9
EVERY = 0.05
BEFORE, AFTER = 4.0, 12.0
"""Seconds of load before the kill and after it."""
MOST_LATE = 10.0


class Member(Nats):
    """One of three: the server of an installation, with routes to the others."""

    def __init__(self, root: Path, name: str, route: int, routes: list[int]) -> None:
        super().__init__(root, name=name)
        self.route, self.routes = route, routes

    def configuration(self) -> str:
        """As for one, in a cluster."""
        others = ", ".join(f'"nats://127.0.0.1:{port}"' for port in self.routes)
        cluster = f'cluster {{ name: ward, listen: "127.0.0.1:{self.route}", routes: [ {others} ] }}\n'
        return cluster + super().configuration()


@pytest.fixture
def members(tmp_path: Path) -> Iterator[list[Member]]:
    routes = [free_port() for _ in range(3)]
    first = Nats(tmp_path / "0")
    login = first.login()
    made = []
    for n in range(3):
        root = tmp_path / str(n)
        private.kept(root / "secret", lambda: login.password)
        private.kept(root / "callout.nk", login.seed.decode)
        made.append(Member(root, f"member-{n}", routes[n], routes))
    for one in made:
        one.launch()
    try:
        yield made
    finally:
        for one in made:
            one.stop()


@pytest.fixture
async def cluster(members: list[Member]) -> AsyncIterator[Bus]:
    bus = await Bus.connect(",".join(one.url for one in members))
    js = bus.client.jetstream(timeout=2)
    until = time.monotonic() + 30
    while True:  # until the three have chosen who leads
        try:
            await js.account_info()
            break
        except (NatsError, TimeoutError):
            assert time.monotonic() < until
            await asyncio.sleep(0.2)
    yield bus
    await bus.close()


class Sender:
    """A paho client that repeats each pack until it is acknowledged, at whichever server answers."""

    def __init__(self, card: monitoring.DeviceCredentials, patient: str, ports: list[int], first: int) -> None:
        self.card, self.patient, self.ports, self.at = card, patient, ports, first
        self.waiting: dict[int, tuple[bytes, float]] = {}
        self.seq = 0
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=card.device, protocol=paho.MQTTv311)
        self.client.username_pw_set(card.username, card.password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = lambda client, *_: client.subscribe(card.ack_topic, 1)
        self.client.on_message = self.heard
        self.client.on_subscribe = self.subscribed
        self.client.on_disconnect = self.elsewhere
        self.client.on_connect_fail = self.elsewhere
        self.client.connect_async("127.0.0.1", ports[first % len(ports)], keepalive=5)
        self.client.loop_start()

    def elsewhere(self, client: paho.Client, *_: object) -> None:
        """The next server."""
        self.at += 1
        client.connect_async("127.0.0.1", self.ports[self.at % len(self.ports)], keepalive=5)

    def subscribed(self, client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], *_: object) -> None:
        """A broker that could not, while its cluster chose a leader, is asked again."""
        if any(code.is_failure for code in codes):
            client.subscribe(self.card.ack_topic, 1)

    def heard(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self.waiting.pop(json.loads(message.payload)["seq"], None)

    def measure(self, systolic: int) -> None:
        self.seq += 1
        body = pack(self.seq, ("systolic", systolic, "mm[Hg]", round(time.time(), 3)))
        self.waiting[self.seq] = (body, time.monotonic())
        self.client.publish(self.card.topic, body, 1)

    def repeat(self) -> None:
        for seq, (body, at) in list(self.waiting.items()):
            if time.monotonic() - at > 1 and self.client.is_connected():
                self.waiting[seq] = (body, time.monotonic())
                self.client.publish(self.card.topic, body, 1)


async def test_one_of_three_servers_is_killed_under_load(now_ctx: Ctx, members: list[Member], cluster: Bus) -> None:
    settings.use(now_ctx.database, settings.Settings(copies=3))
    ctx = now_ctx.with_(bus=cluster)
    cards: list[tuple[monitoring.DeviceCredentials, str]] = []
    async with access.work(ctx, "added devices") as inner:
        for n in range(DEVICES):
            patient = f"p{n % 3 + 1}"
            cards.append((await monitoring.add_device(inner, monitoring.NewDevice("blood-pressure", patient)), patient))
        await inner.sql.execute(
            """insert into monitoring.profile (tenant, patient, birth_date, changed_at, changed_by)
               select 1, 'p' || n, date '1960-05-01', now(), 'test' from generate_series(1, 3) n"""
        )
    ports = [one.mqtt_port for one in members]
    async with ingesting(ctx, cluster, seed=members[0].login().seed):
        senders = [Sender(card, patient, ports, n) for n, (card, patient) in enumerate(cards)]
        info = await cluster.client.jetstream(timeout=5).stream_info("DEVICES")
        assert info.config.num_replicas == 3
        assert info.cluster is not None
        leader = next(one for one in members if one.name == info.cluster.leader)
        began, high_at = time.monotonic(), 0.0
        while time.monotonic() - began < BEFORE + AFTER:
            gone = time.monotonic() - began - BEFORE
            if gone > 0 and not high_at:
                assert leader.process is not None
                os.kill(leader.process.pid, signal.SIGKILL)
                high_at = time.time()
            for sender in senders:
                sender.measure(196 if high_at else 120 + sender.seq % 7)
                sender.repeat()
            await asyncio.sleep(EVERY)
        until = time.monotonic() + 30
        while any(sender.waiting for sender in senders) and time.monotonic() < until:
            for sender in senders:
                sender.repeat()
            await asyncio.sleep(0.1)
        assert [len(sender.waiting) for sender in senders] == [0] * DEVICES
        for sender in senders:
            sender.client.disconnect()
            sender.client.loop_stop()
    async with ctx.database.transaction() as sql:
        held = await sql.fetch(
            """select d.name, count(*) as readings, count(distinct t) as moments from monitoring.pack p
               join monitoring.device d on d.number = p.device, unnest(p.time) t group by 1"""
        )
        raised = await sql.fetch("select patient, raised_at from monitoring.alarm where priority = 'high'")
    sent = {sender.card.device: sender.seq for sender in senders}
    assert {row["name"]: row["readings"] for row in held} == sent
    assert {row["name"]: row["moments"] for row in held} == sent
    late = {row["patient"]: row["raised_at"].timestamp() - high_at for row in raised}
    print(f"\n{sum(sent.values())} readings, none lost or twice; the leader of the stream killed; alarms after {late}")
    assert late.keys() == {"p1", "p2", "p3"}
    assert len(raised) == 3
    assert max(late.values()) < MOST_LATE
