"""Cuffs that we did not write: paho-mqtt clients that keep and repeat each pack until Bedside acknowledges it."""

from __future__ import annotations

import json
import random
import threading
import time
import uuid

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from tests.faults.ledger import Entry, Ledger

REPEAT = 1.0


class Cuff:
    """One blood-pressure device, sending a pressure every `every` seconds from a thread of its own.

    clock: seconds that its clock is ahead. thrice: each pack is sent three times, among its neighbours in random order.
    """

    def __init__(
        self,
        card: dict[str, str],
        patient: str,
        port: int,
        ledger: Ledger,
        *,
        every: float,
        clock: float = 0.0,
        thrice: bool = False,
    ) -> None:
        self.clock = clock
        self._chance = random.Random(patient) if thrice else None
        self._mixed: list[bytes] = []
        self.card, self.patient, self.ledger, self.every = card, patient, ledger, every
        self.systolic = 124
        self.seq = 0
        self.waiting: dict[int, tuple[str, bytes, float]] = {}
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, client_id=f"cuff-{uuid.uuid4().hex}", protocol=paho.MQTTv311
        )
        self._client.username_pw_set(card["username"], card["password"])
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_message = self._heard
        self._client.connect_async("127.0.0.1", port, keepalive=5)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def _connected(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self.card["ack_topic"], qos=1)

    def _heard(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        answer = json.loads(message.payload)
        with self._lock:
            done = self.waiting.pop(answer.get("seq"), None)
        if done is not None:
            assert not answer.get("refused"), answer
            self.ledger.acked(done[0])

    def _work(self) -> None:
        while not self._over.wait(self.every):
            self._measure()
            self._repeat()

    def _measure(self) -> None:
        self.seq += 1
        moment = int((time.time() + self.clock) * 1000)
        # Each value differs from its neighbours, so that a mixed-up one is seen.
        systolic, diastolic = self.systolic + self.seq % 7, 76 + self.seq % 5
        pack = [
            {"n": "seq", "v": self.seq},
            {"bt": moment / 1000, "n": "8480-6", "u": "mm[Hg]", "v": systolic},
            {"n": "8462-4", "u": "mm[Hg]", "v": diastolic},
        ]
        key = f"{self.patient}@{moment}"
        self.ledger.sending(Entry(self.patient, key, f"{systolic}/{diastolic}"))
        body = json.dumps(pack).encode()
        with self._lock:
            self.waiting[self.seq] = (key, body, time.monotonic())
        if self._chance is None:
            self._client.publish(self.card["topic"], body, qos=1)
            return
        self._mixed += [body] * 3
        self._chance.shuffle(self._mixed)
        while len(self._mixed) > 15:
            self._client.publish(self.card["topic"], self._mixed.pop(), qos=1)

    def _repeat(self) -> None:
        now = time.monotonic()
        with self._lock:
            due = [(seq, each) for seq, each in self.waiting.items() if now - each[2] > REPEAT][:20]
            for seq, (key, body, _) in due:
                self.waiting[seq] = (key, body, now)
        if self._client.is_connected():
            for _, (_, body, _) in due:
                self._client.publish(self.card["topic"], body, qos=1)

    def drain(self, seconds: float) -> bool:
        """Measure no more; repeat until all is acknowledged. False when that took longer."""
        self._over.set()
        self._thread.join()
        until = time.monotonic() + seconds
        while self.waiting and time.monotonic() < until:
            self._repeat()
            time.sleep(0.05)
        self._client.disconnect()
        self._client.loop_stop()
        return not self.waiting
