"""The TURN relay with a real browser: our time-limited credentials open it, others do not."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import async_playwright
from tools import chromium
from tools.ports import free_port

from bedside.foundation.engines import Turn
from bedside.visits.settings import VisitSettings

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(shutil.which("turnserver") is None, reason="coturn is not installed: apt-get install coturn"),
]

GATHER = """servers => new Promise(done => {
    const pc = new RTCPeerConnection({ iceServers: servers, iceTransportPolicy: 'relay' });
    const seen = { relay: 0, errors: [] };
    pc.createDataChannel('x');
    pc.onicecandidate = e => { if (e.candidate && e.candidate.type === 'relay') { seen.relay += 1; done(seen); } };
    pc.onicecandidateerror = e => { seen.errors.push(e.errorCode); if (e.errorCode === 401) done(seen); };
    setTimeout(() => done(seen), 20000);
    pc.createOffer().then(offer => pc.setLocalDescription(offer));
})"""


async def answering(relay: Turn) -> None:
    """Until it takes connections."""
    async with asyncio.timeout(20):
        while True:
            try:
                _, out = await asyncio.open_connection("127.0.0.1", relay.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                out.close()
                return


async def test_only_credentials_of_ours_that_are_in_time_get_a_relay(tmp_path: Path) -> None:
    relay = Turn(tmp_path / "turn", port=free_port())
    process = relay.launch()
    try:
        await answering(relay)
        now = datetime.now(UTC)
        ours = VisitSettings(relay.urls, relay.secret)
        tries = {
            "ours": ours.ice_servers("somebody", now),
            "expired": ours.ice_servers("somebody", now - timedelta(minutes=11)),
            "wrong secret": VisitSettings(relay.urls, "guessed").ice_servers("somebody", now),
        }
        found: dict[str, Any] = {}
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=chromium.find(), args=[*chromium.ARGUMENTS])
            page = await browser.new_page()
            for name, servers in tries.items():
                found[name] = await page.evaluate(GATHER, servers)
            await browser.close()
    finally:
        process.stop()
    assert found["ours"]["relay"] > 0, found
    for name in ("expired", "wrong secret"):
        assert found[name]["relay"] == 0, found
        assert 401 in found[name]["errors"], found
