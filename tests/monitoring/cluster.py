"""Three NATS servers in a cluster, and devices that look for whichever answers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode
from tools.ports import free_port

from bedside import monitoring
from bedside.foundation import private
from bedside.foundation.engines import Nats
from bedside.monitoring.testing import pack


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


@contextmanager
def three(folder: Path) -> Iterator[list[Member]]:
    """They run, with one login between them."""
    routes = [free_port() for _ in range(3)]
    first = Nats(folder / "0")
    login = first.login()
    made = []
    for n in range(3):
        root = folder / str(n)
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


class Sender:
    """A paho client that repeats each pack until it is acknowledged, at whichever server answers."""

    def __init__(self, card: monitoring.DeviceCredentials, patient: str, ports: list[int], first: int) -> None:
        self.card, self.patient, self.ports, self.at = card, patient, ports, first
        self.qos = first % 2
        """Of its acknowledgements: as asked for in docs/devices.md, and as many a client has it."""
        self.waiting: dict[int, tuple[bytes, float]] = {}
        self.seq = 0
        self.begun = time.monotonic()
        self.told: list[str] = []
        """What became of its link, for whoever asks why a reading waits."""
        self.client = paho.Client(CallbackAPIVersion.VERSION2, client_id=card.device, protocol=paho.MQTTv311)
        self.client.username_pw_set(card.username, card.password)
        self.client.reconnect_delay_set(1, 1)
        self.client.on_connect = self.connected
        self.client.on_message = self.heard
        self.client.on_subscribe = self.subscribed
        self.client.on_disconnect = self.elsewhere
        self.client.on_connect_fail = self.elsewhere
        self.client.connect_async("127.0.0.1", ports[first % len(ports)], keepalive=5)
        self.client.loop_start()

    def tell(self, what: str) -> None:
        """Kept with its time."""
        self.told.append(f"{time.monotonic() - self.begun:.1f} s: {what} at server {self.at % len(self.ports)}")

    def __str__(self) -> str:
        state = "linked" if self.client.is_connected() else "not linked"
        return f"{len(self.waiting)} of {self.seq} wait, {state}: {'; '.join(self.told[-40:])}"

    def connected(self, client: paho.Client, _data: object, _flags: object, code: ReasonCode, *_: object) -> None:
        """It asks for its acknowledgements."""
        self.tell(f"connected ({code})")
        client.subscribe(self.card.ack_topic, self.qos)

    def elsewhere(self, client: paho.Client, *_: object) -> None:
        """The next server."""
        self.tell("no link")
        self.at += 1
        client.connect_async("127.0.0.1", self.ports[self.at % len(self.ports)], keepalive=5)

    def subscribed(self, client: paho.Client, _data: object, _mid: int, codes: list[ReasonCode], *_: object) -> None:
        """A broker that could not, while its cluster chose a leader, is asked again."""
        self.tell(f"subscribed ({', '.join(map(str, codes))})")
        if any(code.is_failure for code in codes):
            client.subscribe(self.card.ack_topic, self.qos)

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
