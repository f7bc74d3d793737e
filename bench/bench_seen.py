"""Ten thousand readings a second of ten thousand patients: from publication to the alarm in a nurse's browser.

A whole program runs (web, worker, ingest), with a wall of 40 patients open in Chromium on the same cores. Some thirty
of these, who had no alarm, breach one after another, while the ten thousand send as in `latency`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from tools.clinic import Clinic, ClinicFailed

from bedside.foundation.database import Database
from bedside.foundation.home import Home
from bench.bench_alarm import wall
from bench.bench_latency import SECONDS, WARM, people
from bench.figure import Figure

SETTLE = 5.0
"""Seconds after the last breach within which its alarm is to be seen."""


def measure() -> Iterator[Figure]:
    """Milliseconds from publication to the tile in alarm, and the readings a second that landed meanwhile."""
    with wall() as (clinic, tab, patients):
        dsn, url = _engines(clinic)
        before = _apart(_prepare(dsn, patients))
        devices = [f"w{n}" for n in range(len(patients))]
        generator = subprocess.Popen(
            [sys.executable, "-m", "bench.bench_latency", url, *devices], stdout=subprocess.PIPE, text=True
        )
        while generator.poll() is None:
            tab.wait_for_timeout(200)
        sent: dict[str, float] = json.loads(generator.communicate()[0])
        tab.wait_for_timeout(SETTLE * 1000)
        seen: dict[str, float] = tab.evaluate("window.seenHigh")
        landed = _apart(_landed(dsn)) - before
    if len(sent) < 10:
        raise ClinicFailed("too few on the wall were without an alarm")
    holder = dict(zip(devices, patients, strict=True))
    took = sorted(seen[holder[one]] - at * 1e3 for one, at in sent.items() if holder[one] in seen)
    yield Figure("readings a second", landed / (WARM + SECONDS), "/s", least=9_900)
    yield Figure(f"alarms of {len(sent)} that were not seen", len(sent) - len(took), "", limit=0.5)
    yield Figure(f"published to alarm seen, p50 of {len(took)}", took[len(took) // 2], "ms")
    yield Figure(f"published to alarm seen, p99 of {len(took)}", took[int(len(took) * 0.99)], "ms", limit=500)


def _apart(work: Coroutine[None, None, int]) -> int:
    """Run it in a thread of its own: Playwright holds this one's event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _engines(clinic: Clinic) -> tuple[str, str]:
    home = Home(clinic.home)
    running_now = home.running()
    if running_now is None:
        raise ClinicFailed("the program is gone")
    return home.postgres.dsn(), home.nats(port=running_now["nats_port"]).url


async def _prepare(dsn: str, patients: Sequence[str]) -> int:
    """The ten thousand, and a monitor more for each of those on the wall; returns the readings that there were."""
    database = await Database.connect(dsn, size=1)
    try:
        async with database.transaction() as sql:
            await people(sql)
            await sql.execute(
                """with made as (
                       insert into monitoring.device (tenant, name, kind, source, created_at)
                       select 1, 'w' || n - 1, 'monitor', 'device', $2
                       from generate_series(1, cardinality($1::text[])) as n
                       returning number, name
                   ), heads as (insert into monitoring.head (device) select number from made)
                   insert into monitoring.assignment (tenant, device, patient, during, made_at)
                   select 1, number, ($1::text[])[1 + substr(name, 2)::int], '[2000-01-01,)', $2 from made""",
                list(patients),
                datetime.now(UTC),
            )
    finally:
        await database.close()
    return await _landed(dsn)


async def _landed(dsn: str) -> int:
    database = await Database.connect(dsn, size=1)
    try:
        async with database.transaction() as sql:
            return int(await sql.fetchval("select coalesce(sum(cardinality(metric)), 0) from monitoring.pack"))
    finally:
        await database.close()
