"""The worker is killed in the middle of an export: another goes on from the last page, and nothing is lost or twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import client
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.records.model.bulk import wish
from bedside.records.service import bulk, shelf

pytestmark = pytest.mark.faults

WORKER = """
import asyncio, sys
from pathlib import Path
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.database import Database
from bedside.foundation.jobs import Worker
from bedside.records.service import exporting, shelf
from bedside.records.subscribers import JOBS

exporting.PAGE = 50
step = exporting.step

async def slowly(*arguments):
    await asyncio.sleep(0.05)  # so that the kill meets it at work
    return await step(*arguments)

exporting.step = slowly

async def main():
    database = await Database.connect(sys.argv[1])
    shelf.use(database, Path(sys.argv[2]))
    await Worker(database, no_bus(), SystemClock(), {name: JOBS[name] for name in ("records.export",)}).run()

asyncio.run(main())
"""
MANY = 3000


def _worker(url: str, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER, url, str(home)])


async def _row(ctx: Ctx, id_: str) -> Any:
    async with ctx.database.connection() as sql:
        return await sql.fetchrow("select state, fence, done from records.bulk where id = $1", id_)


async def _until(ctx: Ctx, id_: str, reached: Any, seconds: float = 90) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        row = await _row(ctx, id_)
        if reached(row):
            return row
        time.sleep(0.02)  # noqa: ASYNC251 - nothing else runs here
    raise TimeoutError(f"the export did not come there: {await _row(ctx, id_)}")


async def _ended(ctx: Ctx) -> None:
    """Until the database has done what a killed process had asked of it last."""
    busy = (
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()"
    )
    until = time.monotonic() + 60
    async with ctx.database.connection() as sql:
        while await sql.fetchval(busy):
            assert time.monotonic() < until
            time.sleep(0.02)  # noqa: ASYNC251 - nothing else runs here


@pytest.mark.timeout(300)
async def test_an_export_outlives_its_worker(
    ctx: Ctx, database_url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf.use(ctx.database, tmp_path)
    ctx = ctx.with_(clock=SystemClock())
    for start in range(0, MANY, 500):
        async with access.work(ctx, "seed") as inner:
            if start == 0:
                await records.update(inner, patient("ada"))
            entries = [
                {
                    "resource": {**pulse("ada", n % 90 + 40), "id": f"o{n}"},
                    "request": {"method": "PUT", "url": f"Observation/o{n}"},
                }
                for n in range(start, start + 500)
            ]
            await records.transact(inner, {"resourceType": "Bundle", "type": "transaction", "entry": entries})
    mine = client(ctx, "system/*.rs")
    async with access.work(mine, "ask") as inner:
        asked = wish("system", None, [("_type", "Observation")], strict=True, posted=False)
        id_ = await bulk.ask_export(inner, asked, "http://localhost/fhir/R4/$export")
    first = _worker(database_url, tmp_path)
    try:
        await _until(ctx, id_, lambda row: row["done"] >= 500)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    await _ended(ctx)
    killed = await _row(ctx, id_)
    assert killed["state"] == "working"
    assert killed["done"] < MANY
    before = {file.name: file.stat().st_ino for file in (tmp_path / "bulk" / id_).iterdir()}
    begun = time.monotonic()
    second = _worker(database_url, tmp_path)
    try:
        ended = await _until(ctx, id_, lambda row: row["state"] != "working")
    finally:
        second.terminate()
        second.wait()
    took = time.monotonic() - begun
    assert (ended["state"], ended["fence"], ended["done"]) == ("done", killed["fence"] + 1, MANY)
    async with access.work(mine, "look") as inner:
        _, files = await bulk.look(inner, id_)
    assert [file.lines for file in files] == [killed["done"], MANY - killed["done"]]  # it began where the other was
    found = []
    for made in files:
        path = tmp_path / "bulk" / id_ / made.name
        found += [json.loads(line)["id"] for line in path.read_bytes()[: made.size].splitlines()]
        assert before.get(made.name, path.stat().st_ino) == path.stat().st_ino
    assert sorted(found) == sorted(f"o{n}" for n in range(MANY))
    with capsys.disabled():
        print(f"\nexport: killed at {killed['done']} of {MANY}, taken over and ended in {took:.1f} s, nothing twice")
