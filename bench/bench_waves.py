"""Forty patients, three live waveforms each at 250 Hz: the server's cores, the delay it adds, pictures a second.

A demo's simulated devices are held, and one device of each patient sends over MQTT from a process of its own, half a
second in a message. The browser draws in software on the same cores. The server is every process of the demo, engines
included; packing by the minute begins three minutes later, so it is measured by itself.
`send` and `watch` are how this module runs itself beside.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiomqtt
import cbor2
import websockets
from playwright.sync_api import sync_playwright
from tests.journeys.pages import PAGES
from tests.journeys.visiting import sign_in
from tools import chromium
from tools.clinic import SEED, Clinic, running

from bedside.demo import histories
from bedside.demo.seeding import CARDS, device_name
from bedside.monitoring.waves.model.message import Piece
from bedside.monitoring.waves.model.packed import minutes
from bedside.web.wall.traces import read
from bench.bench_memory import family
from bench.cost import Meter
from bench.figure import Figure

PATIENTS = 40
LEADS = (("ecg-ii", "mV"), ("pleth", "1"), ("resp", "Ohm"))
HZ = 250
CHUNK = 0.5
"""Seconds of signal in a message."""
WARM, SPAN = 10.0, 30.0
WALLS = 20
PICTURES = "document.querySelector('bedside-wall').waves.frames"


def measure() -> Iterator[Figure]:
    """Cores (processor seconds a second), milliseconds from a piece's end to the screen's door, pictures a second."""
    executable = chromium.find()
    with (
        tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder,
        running(Path(folder) / "home", patients=PATIENTS) as clinic,
        ExitStack() as after,
        sync_playwright() as playwright,
    ):
        held = [pid for pid, name in family(clinic.pid).items() if name == "bedside devices"]
        for pid in held:
            os.kill(pid, signal.SIGSTOP)
            after.callback(os.kill, pid, signal.SIGCONT)
        browser = playwright.chromium.launch(executable_path=executable, args=[*chromium.ARGUMENTS])
        context = browser.new_context(base_url=clinic.address, viewport={"width": 1920, "height": 1080})
        tab = context.new_page()
        sign_in(tab, next(page.who for page in PAGES if page.name == "wall") or "")
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in context.cookies())
        drawn = histories.draw(SEED, PATIENTS, datetime.now(UTC).date())
        names = [device_name(patient.devices[0]) for patient in drawn if patient.devices]
        sender = _beside("send", str(clinic.home / CARDS), str(clinic.mqtt_port), *names)
        after.callback(sender.terminate)
        time.sleep(WARM / 2)
        tab.goto("/wall")
        time.sleep(WARM / 2)
        yield from _one(tab, clinic, cookies)
        browser.close()
        yield from _many(clinic, cookies)
    yield from _packed()


def _one(tab: Any, clinic: Clinic, cookies: str) -> Iterator[Figure]:
    """One wall in a browser, and one that only listens, for the delay."""
    watcher = _watch(clinic, cookies, 1)
    meter, pictures, began = Meter(clinic.pid), tab.evaluate(PICTURES), time.monotonic()
    time.sleep(SPAN)
    took = time.monotonic() - began
    spent = meter.spent()
    drawn = (tab.evaluate(PICTURES) - pictures) / took
    traces = tab.locator(".live-trace canvas").count()
    (seen,) = json.loads(watcher.communicate(timeout=60)[0])
    yield Figure("traces on the wall", traces, "", least=PATIENTS * len(LEADS))
    yield from _server(spent, took, "one wall and one listener", 0.5)
    yield Figure("delay added, p50", seen["p50"], "ms")
    yield Figure(f"delay added, p99 of {seen['pieces']}", seen["p99"], "ms", limit=300)
    yield Figure("samples a second at the wall", seen["samples"] / seen["seconds"], "/s", least=29_000)
    yield Figure("pictures a second, software rendering", drawn, "/s", least=20)


def _many(clinic: Clinic, cookies: str) -> Iterator[Figure]:
    watcher = _watch(clinic, cookies, WALLS)
    time.sleep(3)
    meter, began = Meter(clinic.pid), time.monotonic()
    time.sleep(SPAN - 5)
    took = time.monotonic() - began
    spent = meter.spent()
    seen = json.loads(watcher.communicate(timeout=60)[0])
    yield from _server(spent, took, f"{WALLS} walls", 1.0)
    worst = min(one["samples"] / one["seconds"] for one in seen)
    yield Figure(f"samples a second at the worst of {len(seen)} walls", worst, "/s", least=29_000)
    yield Figure("delay added, the worst wall's p99", max(one["p99"] for one in seen), "ms", limit=300)


def _packed() -> Iterator[Figure]:
    """A minute of the forty patients put together, on a curve with some noise."""
    rng = random.Random(1)
    raw = array("h", (round(900 * math.sin(k / 9) + rng.gauss(0, 3)) for k in range(60 * HZ))).tobytes()
    step = round(2 * HZ * CHUNK)
    pieces = [
        Piece(2, round(n * CHUNK * 1e6), HZ, "mV", 1, 0, raw[n * step : (n + 1) * step])
        for n in range(round(60 / CHUNK))
    ]
    began = time.process_time()
    for _ in range(10):
        (row,) = minutes(pieces)
    each = (time.process_time() - began) / 10
    yield Figure("packing by the minute, all leads", each * PATIENTS * len(LEADS) / 60, "c", limit=0.1)
    yield Figure("bytes of a packed sample", len(row.packed) / (60 * HZ), "B", limit=2)


def _server(spent: dict[str, float], took: float, what: str, limit: float) -> Iterator[Figure]:
    server = {kind: seconds / took for kind, seconds in spent.items() if kind != "client"}
    for kind, cores in sorted(server.items()):
        if cores >= 0.005:
            yield Figure(f"  {kind}", cores, "c")
    yield Figure(f"server's cores, {what}", sum(server.values()), "c", limit=limit)


def _beside(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-m", "bench.bench_waves", *arguments], stdout=subprocess.PIPE, text=True)


def _watch(clinic: Clinic, cookies: str, walls: int) -> subprocess.Popen[str]:
    address = clinic.address.replace("http", "ws") + "/wall/live"
    return _beside("watch", address, cookies, str(walls), str(SPAN), clinic.address)


async def _send(cards: list[dict[str, Any]], port: int) -> None:
    """Each for ever, beginning at its own part of the half second."""
    async with asyncio.TaskGroup() as group:
        for n, card in enumerate(cards):
            group.create_task(_device(card, port, n))


async def _device(card: dict[str, Any], port: int, n: int) -> None:
    count = round(HZ * CHUNK)
    wave = array("h", (round(900 * math.sin(k / 9 + n) + 100 * math.sin(k * 1.7)) for k in range(8 * count)))
    topic = f"devices/{card['device']}/waveforms"
    async with aiomqtt.Client(
        "127.0.0.1",
        port,
        username=card["username"],
        password=card["password"],
        identifier=f"bench-{card['device']}",
        protocol=aiomqtt.ProtocolVersion.V311,
    ) as client:
        start, seq = math.ceil(time.time()) + n / PATIENTS * CHUNK, 0
        while True:
            at = start + seq * CHUNK
            place = seq % 8 * count
            raw = cbor2.CBORTag(77, wave[place : place + count].tobytes())
            said = {"t": at, "hz": HZ, "k": 0.001, "s": raw}
            seq += 1
            payload = cbor2.dumps([{"seq": seq}, *({"n": name, "u": unit, **said} for name, unit in LEADS)])
            await asyncio.sleep(max(0.0, at + CHUNK - time.time()))
            await client.publish(topic, payload, qos=1)


async def _see(address: str, cookies: str, seconds: float, origin: str) -> dict[str, float]:
    """A wall that only listens. Delays are from a piece's last sample to its frame, ms; the sender's own lateness is in
    them. The first frame holds what was before, and is not counted."""
    delays: list[float] = []
    samples, first = 0, True
    async with websockets.connect(
        address, additional_headers={"Cookie": cookies}, origin=websockets.Origin(origin), max_size=None
    ) as wall:
        began = time.time()
        while time.time() - began < seconds:
            message = await wall.recv()
            if not isinstance(message, bytes):
                continue
            now = time.time() * 1000
            if first:
                first, began = False, time.time()
                continue
            for _, _, t, hz, _, _, _, raw in read(message):
                samples += len(raw) // 2
                delays.append(now - (t + len(raw) / 2 * 1000 / hz))
    delays.sort()
    return {
        "p50": delays[len(delays) // 2],
        "p99": delays[int(len(delays) * 0.99)],
        "pieces": len(delays),
        "samples": samples,
        "seconds": time.time() - began,
    }


async def _watchers(address: str, cookies: str, walls: int, seconds: float, origin: str) -> list[dict[str, float]]:
    return await asyncio.gather(*(_see(address, cookies, seconds - 4, origin) for _ in range(walls)))


if __name__ == "__main__":
    if sys.argv[1] == "send":
        chosen = [card for card in json.loads(Path(sys.argv[2]).read_text()) if card["device"] in sys.argv[4:]]
        asyncio.run(_send(chosen, int(sys.argv[3])))
    else:
        address, cookies, walls, seconds, origin = sys.argv[2:7]
        print(json.dumps(asyncio.run(_watchers(address, cookies, int(walls), float(seconds), origin))))
