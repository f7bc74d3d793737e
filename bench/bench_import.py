"""`bedside import` of 100,000 Observations of 1,000 patients, all promises on, beside a bare COPY of the same rows.

BEDSIDE_BENCH_IMPORT says how many Observations. Processor time is told beside the rate: on a machine with other work a
rate says little. The limit is for two cores of the machine where the targets were set (bare asyncpg made 13,000
Observations a second there, one by one); elsewhere the share of bare COPY says how much of the machine is used: COPY
has nothing to read, check or index, runs from two connections, and commits as often.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from tools.clinic import Clinic, running
from tools.steps import ROOT

from bedside.fhir import index
from bedside.foundation.home import Home
from bedside.records.model import rows
from bedside.records.store.copying import copy
from bedside.records.store.versions import Versions
from bench.bench_records import BARE, reading, token_of
from bench.bench_store import CODES
from bench.cost import Meter
from bench.figure import Figure

EACH = 100
"""Observations of a patient."""
PIECE = 1000
LANES = 2


def _resources(many: int, by: str) -> Iterator[dict[str, Any]]:
    for n in range(many // EACH):
        yield {"resourceType": "Patient", "id": f"{by}-{n}", "name": [{"family": f"Import{n}", "given": ["Ada"]}]}
    for n in range(many):
        made = reading(n) | {"id": f"{by}-o{n}", "subject": {"reference": f"Patient/{by}-{n // EACH}"}}
        made["code"]["coding"][0]["code"] = CODES[n % len(CODES)]
        yield made


def _import(clinic: Clinic, file: Path) -> tuple[float, float]:
    """Seconds that it took, and processor seconds of the command and its lanes."""
    command = [sys.executable, "-m", "bedside", "import", str(file), "--home", str(clinic.home)]
    before, begun = os.times(), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    took, after = time.perf_counter() - begun, os.times()
    user, system = after.children_user - before.children_user, after.children_system - before.children_system
    return took, user + system


def _operation(clinic: Clinic, file: Path) -> float:
    """Seconds that `$import` takes over the posted file, from its acceptance on."""
    head = {"Authorization": f"Bearer {token_of(clinic)}", "Prefer": "respond-async"}
    with httpx.Client(headers=head, timeout=60) as client, file.open("rb") as body:
        kind = {"Content-Type": "application/fhir+ndjson"}
        accepted = client.post(f"{clinic.address}/fhir/R4/$import", content=body, headers=kind).raise_for_status()
        begun = time.perf_counter()
        while (answer := client.get(accepted.headers["Content-Location"]).raise_for_status()).status_code == 202:
            time.sleep(0.5)
    told = answer.json()
    assert not told["extension"]["refused"], told["extension"]
    return time.perf_counter() - begun


async def _bare(dsn: str, many: int) -> float:
    """Resources a second by COPY alone; the rows are made before the clock runs, a share at a time."""
    lanes = [await asyncpg.connect(dsn) for _ in range(LANES)]
    spent, done, all_ = 0.0, 0, _resources(many, "import")
    while True:
        made = [piece for _ in range(LANES * 5) if (piece := _piece(all_)).count]
        if not made:
            break
        begun = time.perf_counter()

        async def lane(sql: Any, mine: list[_Piece]) -> None:
            for one in mine:
                async with sql.transaction():
                    await copy(sql, BARE, one.versions, one.rows)

        await asyncio.gather(*(lane(sql, made[n::LANES]) for n, sql in enumerate(lanes)))
        spent += time.perf_counter() - begun
        done += sum(one.count for one in made)
    for sql in lanes:
        await sql.close()
    return done / spent


class _Piece:
    def __init__(self) -> None:
        self.versions, self.rows, self.count = Versions(), rows.Rows(), 0


def _piece(made: Iterator[dict[str, Any]]) -> _Piece:
    piece, now = _Piece(), datetime.now(UTC)
    for one in made:
        type_, id_ = one["resourceType"], one["id"]
        one["meta"] = {"versionId": "1", "lastUpdated": now.isoformat().replace("+00:00", "Z")}
        values = index.extract(one, composites=False, only=rows.shape(type_).written, apart=True)
        whose = rows.add(piece.rows, type_, id_, values).patients
        body = json.dumps(one, separators=(",", ":")).encode()
        piece.versions.add(now, rows.rid(type_, id_), type_, id_, 1, "PUT", whose, body)
        piece.count += 1
        if piece.count == PIECE:
            break
    return piece


def _write(file: Path, many: int, by: str) -> int:
    with file.open("w") as out:
        return sum(1 for one in _resources(many, by) if out.write(json.dumps(one) + "\n"))


def measure() -> Iterator[Figure]:
    """Resources a second, the processor time of one, a second run that finds all unchanged, and bare COPY."""
    many = int(os.environ.get("BEDSIDE_BENCH_IMPORT", "100000"))
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder, running(Path(folder) / "home") as clinic:
        file, posted = Path(folder) / "many.ndjson", Path(folder) / "posted.ndjson"
        count = _write(file, many, "import")
        _write(posted, many, "posted")
        meter = Meter(clinic.pid)
        took, ours = _import(clinic, file)
        others = meter.spent()
        yield Figure("imported", count / took, "/s", least=8000)
        best = asyncio.run(_bare(Home(clinic.home).postgres.dsn(), many))
        yield Figure("  bare COPY of the same rows, two connections", best, "/s")
        yield Figure("  share of bare COPY", 100 * count / took / best, "%")
        yield Figure("  processor of the import", ours / count * 1e6, "µs")
        for process, seconds in sorted(others.items(), key=lambda one: -one[1]):
            if seconds * 1e6 / count >= 1 and process != "client":
                yield Figure(f"  processor of {process}", seconds * 1e6 / count, "µs")
        took, ours = _import(clinic, file)
        yield Figure("found unchanged by a second run", count / took, "/s")
        yield Figure("  processor of the import", ours / count * 1e6, "µs")
        meter = Meter(clinic.pid)
        yield Figure("imported by $import", count / _operation(clinic, posted), "/s", least=8000)
        for process, seconds in sorted(meter.spent().items(), key=lambda one: -one[1]):
            if seconds * 1e6 / count >= 10 and process != "client":
                yield Figure(f"  processor of {process}", seconds * 1e6 / count, "µs")
