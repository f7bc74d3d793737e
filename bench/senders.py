"""Devices for the benchmark of ingest, in a process of their own: paho clients that send packs and await the answers.

`python -m bench.senders JSON` prints the seconds from the first publish to the last acknowledgement.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

WINDOW = 4
"""Packs under way per device; single readings go 64 at a time."""
METRICS = (("8867-4", "/min", 70), ("59408-5", "%", 97), ("9279-1", "/min", 16), ("8480-6", "mm[Hg]", 120))


def payloads(packs: int, size: int, start: float) -> list[bytes]:
    """Packs with times that run on, four metrics a moment, as a monitor sends them."""
    made = []
    for n in range(packs):
        records: list[dict[str, Any]] = [{"n": "seq", "v": int(start) * 1000 + n}]
        for k in range(size):
            code, unit, value = METRICS[(n * size + k) % 4]
            at = round(start + (n * size + k) // 4 * 0.01, 3)
            records.append({"n": code, "u": unit, "v": value + k % 7 % 3, "t": at})
        made.append(json.dumps(records, separators=(",", ":")).encode())
    return made


class Sender:
    """One device. Publishes its window, and the next with each answer."""

    def __init__(self, card: list[str], port: int, waiting: list[bytes], window: int) -> None:
        self.topic, self.acks = card[2], card[3]
        self.waiting = waiting[::-1]
        self.open = len(waiting)
        self.window = window
        self.ready, self.done = threading.Event(), threading.Event()
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"bench-{card[0]}-{len(waiting)}")
        self.client.username_pw_set(card[0], card[1])
        self.client.max_inflight_messages_set(1000)
        self.client.on_connect = self.connected
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = self.answered
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def connected(self, *_: Any) -> None:
        """Listen for the answers."""
        self.client.subscribe(self.acks, 1)

    def next(self) -> None:
        """One more pack."""
        if self.waiting:
            self.client.publish(self.topic, self.waiting.pop(), 1)

    def begin(self) -> None:
        """The first of them."""
        for _ in range(self.window):
            self.next()

    def answered(self, *_: Any) -> None:
        """One is held."""
        self.open -= 1
        self.next()
        if self.open == 0:
            self.done.set()


def main() -> None:
    """See the module."""
    job = json.loads(sys.argv[1])
    # Fresh when they arrive, so that they are judged in earnest, and later than the run before, so in order.
    start = time.time() - (63 if job["size"] > 1 else 80)
    window = WINDOW if job["size"] > 1 else 64
    packed = payloads(job["packs"], job["size"], start)
    senders = [Sender(card, job["port"], packed, window) for card in job["devices"]]
    for sender in senders:
        if not sender.ready.wait(20):
            raise TimeoutError
    began = time.perf_counter()
    for sender in senders:
        sender.begin()
    for sender in senders:
        if not sender.done.wait(150):
            raise TimeoutError
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
