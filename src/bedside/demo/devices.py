"""The demo's simulated devices: one process, each device its own MQTT 3.1.1 connection with its own credentials.

They know nothing of Bedside but what `bedside device add` prints and what the documents say of the MQTT door, and
they behave as a good device does: a counter that survives a restart, every pack repeated until its `seq` is
acknowledged.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiomqtt
import cbor2
import msgspec
import orjson

from bedside.demo.waves import Body

REPEAT_AFTER = 4.0
"""Seconds until a pack that is not acknowledged is sent again."""
COUNTER_BLOCK = 1000
"""A device writes its counter to its memory once in so many packs, and skips ahead after a restart."""
STORY = ((20, 142, 88), (45, 151, 94), (75, 178, 112), (135, 176, 110), (195, 179, 113))
"""Seconds since the start, systolic, diastolic: the pressure that rises in the first two minutes."""

UNITS = {
    # metric of the demo: LOINC code, UCUM unit, decimals, size of its noise
    "systolic": ("8480-6", "mm[Hg]", 0, 4.0),
    "diastolic": ("8462-4", "mm[Hg]", 0, 3.0),
    "heart-rate": ("8867-4", "/min", 0, 2.0),
    "spo2": ("59408-5", "%", 0, 0.5),
    "temperature": ("8310-5", "Cel", 1, 0.1),
    "respiratory-rate": ("9279-1", "/min", 0, 0.8),
    "weight": ("29463-7", "kg", 1, 0.2),
    "glucose": ("2339-0", "mg/dL", 0, 14.0),
}
MEASURES = {
    # kind: metrics of one measurement, seconds between two in the demo's quick time, hours between two in the past week
    "blood-pressure": (("systolic", "diastolic", "heart-rate"), 90.0, 12.0),
    "heart-rate": (("heart-rate",), 30.0, 12.0),
    "pulse-oximeter": (("spo2", "heart-rate"), 30.0, 8.0),
    "thermometer": (("temperature",), 120.0, 12.0),
    "scale": (("weight",), 240.0, 24.0),
    "glucose-meter": (("glucose",), 120.0, 6.0),
    "monitor": (("heart-rate", "spo2", "respiratory-rate"), 5.0, 1.0),
}
MOST_DRAWN = 8
"""Monitors that send waveforms too: it is a demo on a laptop."""
MOST_WAITING = 120
"""Seconds of waveforms that a monitor remembers while nobody acknowledges them."""
SLOW = ("systolic", "diastolic", "temperature")
"""What a bedside monitor measures once a minute."""


class Card(msgspec.Struct):
    """What the person who set the device up typed into it, and the body it is strapped to."""

    device: str
    username: str
    password: str
    topic: str
    ack_topic: str
    kind: str
    vitals: dict[str, float]
    story: bool = False
    backlog: bool = True
    """Whether the past week is still in its memory, unsent."""


class Simulated:
    """One device."""

    def __init__(self, card: Card, memory: Path, began: float) -> None:
        self.card, self.began = card, began
        self.random = random.Random(card.device)  # noqa: S311 - a simulated body, no secret
        self.memory = memory / f"{card.device}.counter"
        self.seq = int(self.memory.read_text()) if self.memory.exists() else 0
        self.unacked: dict[int, tuple[float, str, bytes]] = {}
        self.body: Body | None = None
        """Where the waveforms come from, for a monitor that sends them."""
        self.phase = self.random.uniform(0, 6.28)

    def _value(self, metric: str, at: float) -> float:
        """Baseline, a slow swing over some minutes, and noise."""
        _, _, decimals, noise = UNITS[metric]
        swing = math.sin(at / 400 + self.phase) * noise
        return round(self.card.vitals[metric] + swing + self.random.gauss(0, noise / 2), decimals)

    def _pack(self, values: Sequence[tuple[str, float, float]]) -> tuple[int, bytes]:
        """SenML (RFC 8428): the counter, then a record for each (metric, value, Unix time)."""
        seq = self._count()
        records: list[dict[str, Any]] = [{"n": "seq", "v": seq}]
        for metric, value, at in values:
            code, unit, _, _ = UNITS[metric]
            number = min(value, 100.0) if metric == "spo2" else value
            records.append({"n": code, "u": unit, "v": number, "t": round(at, 3)})
        return seq, orjson.dumps(records)

    def _count(self) -> int:
        if self.seq % COUNTER_BLOCK == 0:
            self.memory.write_text(str(self.seq + COUNTER_BLOCK))
        self.seq += 1
        return self.seq

    def past_week(self, now: float) -> Iterator[tuple[int, bytes]]:
        """What the device measured before it was first connected, in packs of a day.

        A monitor remembers one day, its last two hours closely; whatever it is, the newest is some minutes old.
        """
        metrics, _, hours = MEASURES[self.card.kind]
        monitor = self.card.kind == "monitor"
        metrics = metrics + tuple(m for m in SLOW if monitor)
        newest = now - 60 * self.random.randint(4, 25)
        for day in range(1 if monitor else 7, 0, -1):
            times = [newest - (day - 1) * 86400 - k * hours * 3600 for k in range(int(24 / hours) - 1, -1, -1)]
            if monitor:
                close = {newest - 300 * k for k in range(24)}
                times = sorted({at for at in times if at < newest - 7200 + 300} | close)
            yield self._pack([(m, self._value(m, at), at) for at in times for m in metrics if m in self.card.vitals])

    def measure(self, at: float, slow: bool) -> tuple[int, bytes]:
        """One measurement now."""
        metrics = MEASURES[self.card.kind][0] + (SLOW if slow else ())
        values = [(m, self._value(m, at), at) for m in metrics if m in self.card.vitals]
        return self._pack(values)

    async def run(self, host: str, port: int) -> None:
        """Connect, measure, send, repeat; for ever, whatever the network does."""
        while True:
            with contextlib.suppress(aiomqtt.MqttError, OSError):
                async with aiomqtt.Client(
                    host,
                    port,
                    username=self.card.username,
                    password=self.card.password,
                    identifier=f"sim-{self.card.device}",
                    protocol=aiomqtt.ProtocolVersion.V311,
                    keepalive=30,
                ) as client:
                    await client.subscribe(self.card.ack_topic, qos=0)
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._listen(client))
                        group.create_task(self._repeat(client))
                        group.create_task(self._measure(client))
                        if self.body is not None:
                            group.create_task(self._draw(client, self.body))
            await asyncio.sleep(1 + self.random.random())

    async def _listen(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            answer = orjson.loads(message.payload)
            self.unacked.pop(answer.get("seq"), None)
        raise aiomqtt.MqttError("the connection ended")

    async def _send(self, client: aiomqtt.Client, seq: int, pack: bytes, topic: str = "") -> None:
        self.unacked[seq] = (time.monotonic(), topic or self.card.topic, pack)
        await client.publish(topic or self.card.topic, pack, qos=1)

    async def _draw(self, client: aiomqtt.Client, body: Body) -> None:
        """Each second's waveforms when it is over: CBOR, the samples as typed arrays (RFC 8746)."""
        topic = f"devices/{self.card.device}/waveforms"
        while True:
            second = math.floor(time.time())
            await asyncio.sleep(second + 1 - time.time())
            waiting = [seq for seq, (_, where, _) in self.unacked.items() if where == topic]
            for seq in waiting[:-MOST_WAITING]:
                del self.unacked[seq]
            seq = self._count()
            leads = [
                {**said, "t": float(second), "s": cbor2.CBORTag(77, raw), **({"off": off} if off else {})}
                for said, raw, off in body.second(second)
            ]
            await self._send(client, seq, cbor2.dumps([{"seq": seq}, *leads]), topic)

    async def _repeat(self, client: aiomqtt.Client) -> None:
        while True:
            await asyncio.sleep(1)
            due = time.monotonic() - REPEAT_AFTER
            for seq, (sent, topic, pack) in list(self.unacked.items()):
                if sent < due:
                    await self._send(client, seq, pack, topic)

    async def _measure(self, client: aiomqtt.Client) -> None:
        if self.card.backlog:
            self.card.backlog = False
            for seq, pack in self.past_week(time.time()):
                await self._send(client, seq, pack)
        if self.card.story:
            await self._tell(client)
        every = MEASURES[self.card.kind][1]
        await asyncio.sleep(self.random.uniform(0, every))
        count = 0
        while True:
            await self._send(client, *self.measure(time.time(), slow=self.card.kind == "monitor" and count % 12 == 0))
            count += 1
            await asyncio.sleep(every * self.random.uniform(0.9, 1.1))

    async def _tell(self, client: aiomqtt.Client) -> None:
        """The story's cuff: from a usual pressure to 178/112, and there it stays."""
        for after, systolic, diastolic in STORY:
            await asyncio.sleep(max(0.0, self.began + after - time.monotonic()))
            at = time.time()
            rate = 84 + (systolic - 140) // 3
            values = [("systolic", systolic, at), ("diastolic", diastolic, at), ("heart-rate", rate, at)]
            await self._send(client, *self._pack(values))
        self.card.vitals |= {"systolic": 174.0, "diastolic": 109.0, "heart-rate": 92.0}
        self.card.story = False


def unpack(cards: Path) -> list[Simulated]:
    """The devices of a file of cards, each with its memory; the past week is sent once in a file's life."""
    memory = cards.parent / "memory"
    memory.mkdir(exist_ok=True)
    began = time.monotonic()
    fresh = not (memory / "sent").exists()
    (memory / "sent").touch()
    devices = msgspec.json.decode(cards.read_bytes(), type=list[Card])
    for card in devices:
        card.backlog = card.backlog and fresh
    made = [Simulated(card, memory, began) for card in devices]
    drawn = [one for one in made if one.card.kind == "monitor"][:MOST_DRAWN]
    for n, one in enumerate(drawn):
        vitals = one.card.vitals
        # The last one's electrodes come off now and then: that is to be seen too.
        loose = n == MOST_DRAWN - 1
        one.body = Body(one.card.device, vitals["heart-rate"], vitals["respiratory-rate"], loose=loose)
    return made


async def run(devices: list[Simulated], host: str, port: int) -> None:
    """Every device, until SIGTERM."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    tasks = [asyncio.create_task(device.run(host, port)) for device in devices]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def main() -> None:
    """`python -m bedside.demo.devices CARDS HOST PORT`: started by the supervisor of `bedside demo`."""
    cards, host, port = sys.argv[1:4]
    asyncio.run(run(unpack(Path(cards)), host, int(port)))


if __name__ == "__main__":
    main()
