"""Live waveforms on the wall: from the wire to the screen, sample by sample; a gap, a lead that is off, silence."""

from __future__ import annotations

import asyncio
import math
import re
import time
from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, expect
from tests.monitoring.cuff import Cuff
from tests.monitoring.waves_made import DATA, lead, message, record

from bedside import access, monitoring
from bedside.foundation.bus import Bus
from bedside.foundation.engines import Nats
from bedside.monitoring.testing import ingesting
from bedside.web.wall.traces import Traces, read

from .conftest import House, chromium, serving
from .test_live import opened, tile

WORDS = """() => {
    window.words = [];
    const look = () => {
        const said = document.querySelector('.live-word')?.textContent;
        if (said !== undefined && window.words.at(-1) !== said) window.words.push(said);
    };
    const all = { childList: true, subtree: true, characterData: true };
    new MutationObserver(look).observe(document.querySelector('bedside-wall'), all);
}"""
"""Everything that the first trace says, one after another: that a lead is off is said only while it is drawn."""
NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


def told(lead: int, time: int, samples: Sequence[int], off: Sequence[tuple[int, int]] = (), device: int = 1) -> bytes:
    return msgspec.msgpack.encode([(device, lead, time, 250.0, 0.005, -1.0, "mV", off, array("h", samples).tobytes())])


@pytest.mark.unit
def test_a_frame_holds_what_came_since_and_is_shared() -> None:
    traces = Traces()
    assert traces.take("p1", told(2, 1_000_001, [1, 2, 3], [(0, 1)]), NOW) == (2,)
    traces.take("p2", told(20, 5_000_000, [9]), NOW)
    first = traces.upto(1)
    frame = traces.frame(frozenset({"p1", "p2", "p3"}), 0, first, NOW)
    assert frame is not None
    assert [(one[0], one[1], round(one[2] * 1000), *one[3:6], one[6]) for one in read(frame)] == [
        ("p1", 2, 1_000_001, 250, 0.005, -1, [0, 1]),
        ("p2", 20, 5_000_000, 250, 0.005, -1, []),
    ]
    assert array("h", read(frame)[0][7]).tolist() == [1, 2, 3]
    assert traces.frame(frozenset({"p1", "p2", "p3"}), 0, first, NOW) is frame
    traces.take("p1", told(2, 2_000_000, [4]), NOW)
    assert traces.upto(1) == first  # a piece that comes within a turn waits for the next
    assert traces.frame(frozenset({"p1"}), first, first, NOW) is None
    second = traces.frame(frozenset({"p1"}), first, traces.upto(2), NOW)
    assert second is not None
    assert [array("h", one[7]).tolist() for one in read(second)] == [[4]]
    assert traces.frame(frozenset({"p2"}), first, traces.upto(2), NOW) is None


@pytest.mark.unit
def test_memory_is_bounded_and_what_is_old_goes() -> None:
    traces = Traces()
    for n in range(5000):
        traces.take("p1", told(2, n, [n]), NOW + timedelta(milliseconds=n))
    frame = traces.frame(frozenset({"p1"}), 0, traces.upto(1), NOW + timedelta(seconds=5))
    assert frame is not None
    assert len(read(frame)) == 255
    assert traces.frame(frozenset({"p1"}), 0, traces.upto(2), NOW + timedelta(minutes=1)) is None
    assert traces.take("p1", told(21, 1, [1]), NOW + timedelta(minutes=9)) == (21,)
    traces.forget("p1")
    assert traces.frame(frozenset({"p1"}), 0, traces.upto(3), NOW) is None


@pytest.mark.unit
def test_two_devices_that_send_one_lead_are_never_drawn_as_one() -> None:
    traces, samples = Traces(), []
    for n in range(20):
        now = NOW + timedelta(seconds=n / 2)
        if n < 6:
            traces.take("p1", told(2, n, [1]), now)
        traces.take("p1", told(2, n, [2], device=2), now)
    frame = traces.frame(frozenset({"p1"}), 0, traces.upto(1), NOW + timedelta(seconds=9.5))
    assert frame is not None
    samples = [array("h", one[7])[0] for one in read(frame)]
    # The first falls silent at 2.5 s; five seconds later the other is drawn.
    assert samples == [1] * 6 + [2] * 5


class Monitor:
    """A device on the wire that sends a lead as it goes."""

    def __init__(self, cuff: Cuff, hz: float) -> None:
        self.cuff, self.hz, self.seq = cuff, hz, 0

    async def send(self, at: float, samples: Sequence[int], name: str = "ecg-ii", **more: Any) -> None:
        self.seq += 1
        topic = f"devices/{self.cuff.credentials.device}/waveforms"
        await self.cuff.send(message(self.seq, lead(name, at, samples, hz=self.hz, **more)), topic)

    async def play(self, samples: Sequence[int], seconds: float = 0.5) -> float:
        """As if it were measured now; returns the device time of the first."""
        began, step = time.time(), round(self.hz * seconds)
        for n in range(0, len(samples), step):
            at = began + n / self.hz
            await asyncio.sleep(max(0.0, at + seconds - time.time()))
            await self.send(at, samples[n : n + step])
        return began


async def device_for(house: House) -> monitoring.DeviceCredentials:
    async with access.work(house.ctx, "added a monitor") as work:
        return await monitoring.add_device(work, monitoring.NewDevice(kind="monitor", patient="patient-1"))


def inked(page: Page) -> Any:
    """How many points of the first trace's canvas are drawn."""
    return page.evaluate(
        """() => { const c = document.querySelector('.live-trace canvas');
            const d = c && c.width ? c.getContext('2d').getImageData(0, 0, c.width, c.height).data : [];
            let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i]) n++; return n; }"""
    )


def heard(frames: Sequence[Any]) -> list[Any]:
    """The pieces of waveforms in what a screen received."""
    return [one for frame in frames if isinstance(frame, bytes) for one in read(frame)]


async def shown(house: House, bus: Bus, nats: Nats, samples: Sequence[int], hz: float) -> None:
    """What is played stands in the frames that a wall's screen received, each sample once, in its place."""
    frames: list[bytes] = []
    made = await device_for(house)
    async with (
        ingesting(house.ctx, bus, seed=nats.login().seed),
        serving(house) as base,
        chromium() as browser,
        Cuff(made, nats.mqtt_port) as cuff,
    ):
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})

        def hear(got: Any) -> None:
            frames.append(got)

        page.on("websocket", lambda link: link.on("framereceived", hear))
        await opened(page, base)
        began = await Monitor(cuff, hz).play(samples)
        await expect(tile(page, "patient-1").locator(".live-trace canvas")).to_be_visible()
        until = time.monotonic() + 30
        while await inked(page) <= 50:
            assert time.monotonic() < until, "nothing is drawn"
            await asyncio.sleep(0.05)
        while sum(len(one[7]) for one in heard(frames)) < 2 * len(samples):
            assert time.monotonic() < until, "not all that was played was told to the screen"
            await asyncio.sleep(0.05)
    pieces = heard(frames)
    assert {(one[0], one[1], one[3]) for one in pieces} == {("patient-1", 2, hz)}
    got = [sample for one in sorted(pieces, key=lambda one: one[2]) for sample in array("h", one[7])]
    assert got == list(samples)
    assert abs(min(one[2] for one in pieces) / 1000 - began) < 0.001


@pytest.mark.journey
async def test_each_sample_reaches_the_screen(house: House, bus: Bus, nats: Nats) -> None:
    await shown(house, bus, nats, [round(800 * math.sin(n / 9)) for n in range(1500)], 500)


@pytest.mark.journey
@pytest.mark.skipif(not DATA.exists(), reason="the ECG records of ../shared/data are missing: none is replayed")
async def test_a_recorded_ecg_is_shown_sample_by_sample(house: House, bus: Bus, nats: Nats) -> None:
    await shown(house, bus, nats, record("208")[3600 : 3600 + 360 * 6], 360)


@pytest.mark.journey
async def test_a_lead_that_is_off_is_said_and_silence_too_within_five_seconds(
    house: House, bus: Bus, nats: Nats
) -> None:
    made = await device_for(house)
    async with (
        ingesting(house.ctx, bus, seed=nats.login().seed),
        serving(house) as base,
        chromium() as browser,
        Cuff(made, nats.mqtt_port) as cuff,
    ):
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await page.evaluate(WORDS)
        monitor = Monitor(cuff, 250)
        await monitor.play([100 * (n % 7) for n in range(500)])
        word = tile(page, "patient-1").locator(".live-word")
        await expect(word).to_be_attached()
        assert "lead off" not in await page.evaluate("words")
        for _ in range(4):
            await monitor.send(time.time() - 0.5, [0] * 125, off=[[0, 124]])
            await asyncio.sleep(0.5)
        await page.wait_for_function("words.includes('lead off')")
        # A reading draws the tile anew: the trace goes on in it.
        await house.enter("patient-1", "heart-rate", 72)
        await expect(tile(page, "patient-1")).to_contain_text("72")
        await expect(word).to_contain_text("no signal")
        # It says itself for how long it has heard nothing: a busy browser looks late, and not twice as late.
        words = await page.evaluate("words")
        after = words[len(words) - words[::-1].index("lead off") :]
        silent = re.fullmatch(r"no signal (\d+) s", next(one for one in after if one))
        assert silent is not None
        assert 5 <= int(silent[1]) < 10
        await expect(tile(page, "patient-2").locator(".live-trace")).to_have_count(0)
        assert await page.evaluate("document.querySelector('bedside-wall').waves.frames") > 20
