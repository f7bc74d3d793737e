"""The record at /fhir/R4 on a large store beside the same program on a small one: no rate falls by more than a third.

BEDSIDE_BENCH_RESOURCES says how large: 100,000 unless told; 5,000,000, of 10,000 patients, is what is to be reached.
The store is filled by COPY with the rows that a write would have made; what is measured goes through the program. For
both its database is sized as `bedside serve` sizes it (BEDSIDE_DATABASE_BUFFERS chooses otherwise).
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
from tools.clinic import Clinic, running

from bedside.fhir import index
from bedside.foundation.engines.postgres import sized
from bedside.foundation.home import Home
from bedside.foundation.ids import uuid7
from bedside.records.model import rows
from bench.bench_records import Http, Served, Work, doors, rate, reading, token_of
from bench.figure import Figure

EACH = 500
"""Observations of one patient, a minute apart: of ten codes in turn."""
CODES = ("8867-4", "9279-1", "8310-5", "2708-6", "29463-7", "8302-2", "2345-7", "718-7", "2160-0", "2823-3")
PIECE = 5_000
SECONDS = 3.0
ROUNDS = 3
TENANT = 1
_RESOURCE = ("rid", "updated", "tenant", "version", "type", "id", "method", "patients", "body")
_ENTRY = ("rid", "key", "patient", "at", "extra", "tenant", "param", "place")


def observation(n: int) -> dict[str, Any]:
    """The n-th Observation of the large store."""
    made = reading(n)
    made["subject"] = {"reference": f"Patient/large-{n // EACH}"}
    made["code"]["coding"][0]["code"] = CODES[n % len(CODES)]
    return made


def _patient(n: int) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": f"large-{n}", "name": [{"family": f"Large{n}", "given": ["Ada"]}]}


def _pieces(made: Iterator[dict[str, Any]]) -> Iterator[tuple[list[Any], list[Any]]]:
    """Rows of records.resource and of records.entry, some thousand resources at a time."""
    now = datetime.now(UTC)
    resources: list[Any] = []
    found = rows.Rows()
    for one in made:
        type_, id_ = one["resourceType"], one.get("id") or uuid7()
        one |= {"id": id_, "meta": {"versionId": "1", "lastUpdated": now.isoformat().replace("+00:00", "Z")}}
        values = index.extract(one, composites=False, only=rows.shape(type_).written, apart=True)
        whose = rows.add(found, type_, id_, values).patients
        body = json.dumps(one, separators=(",", ":")).encode()
        resources.append((rows.rid(type_, id_), now, TENANT, 1, type_, id_, "PUT", whose, body))
        if len(resources) == PIECE:
            yield resources, _entries(found)
            resources, found = [], rows.Rows()
    if resources:
        yield resources, _entries(found)


def _entries(found: rows.Rows) -> list[Any]:
    tenants = [TENANT] * len(found.rids)
    places = [place or None for place in found.places]
    columns = (found.rids, found.keys, found.patients, found.ats, found.extras, tenants, found.params, places)
    return list(zip(*columns, strict=True))


async def _fill(sql: Any, resources: int) -> None:
    """Without the indexes, which are made anew at the end: else each row would find its place in each of them."""
    kept = await sql.fetch(
        "select indexname, indexdef from pg_indexes where schemaname = 'records'"
        " and tablename in ('resource', 'entry') and indexname not like '%_pkey'"
    )
    for one in kept:
        await sql.execute(f"drop index records.{one['indexname']}")
    begun, done = time.monotonic(), 0
    for made in (map(_patient, range(resources // EACH)), map(observation, range(resources))):
        for resource, entry in _pieces(made):
            await sql.copy_records_to_table("resource", schema_name="records", records=resource, columns=_RESOURCE)
            await sql.copy_records_to_table("entry", schema_name="records", records=entry, columns=_ENTRY)
            done += len(resource)
            if done % 500_000 < PIECE:
                print(f"  filling: {done:,} of {resources:,}, {time.monotonic() - begun:.0f} s", flush=True)
    for one in kept:
        await sql.execute(one["indexdef"])
    # As autovacuum leaves what has grown by itself.
    await sql.execute("vacuum (analyze) records.resource, records.entry")
    await sql.execute("checkpoint")


class _Large(Served):
    """The same work spread over the patients of the large store, not over a few that stay in the cache."""

    def __init__(self, doors: list[Http], patients: int) -> None:
        super().__init__(doors)
        self.patients = patients

    def search(self, door: Http) -> Work:
        async def work() -> None:
            n = next(self.n)
            patient, code = f"large-{n * 7919 % self.patients}", CODES[n % len(CODES)]
            query = f"patient={patient}&code=http://loinc.org%7C{code}&_sort=-date&_count=20"
            status, body = await door.send("GET", f"/Observation?{query}")
            assert status == 200, body
            assert len(json.loads(body)["entry"]) == 20

        return work


async def _rates(served: Served, https: list[Http], sql: Any) -> dict[str, float]:
    """Each kind by itself: what the one before it left to be written is written first."""
    found = {}
    for kind in ("create", "read", "search"):
        await sql.execute("checkpoint")
        work: Callable[[Http], Work] = getattr(served, kind)
        found[kind] = statistics.median([await rate([work(door) for door in https], SECONDS) for _ in range(ROUNDS)])
    return found


async def _slowest(served: Served, door: Http, searches: int = 1000) -> float:
    """p99 of a search, one after another, in milliseconds."""
    work, took = served.search(door), []
    for _ in range(searches):
        begun = time.perf_counter()
        await work()
        took.append(time.perf_counter() - begun)
    return sorted(took)[int(searches * 0.99)] * 1e3


async def _measure(clinic: Clinic, resources: int) -> list[Figure]:
    sql = await asyncpg.connect(Home(clinic.home).postgres.dsn(), command_timeout=3600)
    token = token_of(clinic)
    async with doors(clinic, token) as https:
        small = Served(https)
        await small.prepare()
        before = await _rates(small, https, sql)
    await _fill(sql, resources)
    async with doors(clinic, token) as https:
        large = _Large(https, resources // EACH)
        large.n = count(10_000_000)
        spread = "select id from records.resource tablesample system (10) where type = 'Observation' limit 20000"
        large.ids = [row["id"] for row in await sql.fetch(spread)]
        after = await _rates(large, https, sql)
        worst = await _slowest(large, https[0])
    figures = [Figure("resources", resources, "")]
    for kind, least in before.items():
        figures.append(Figure(f"{kind}, small store", least, "/s"))
        figures.append(Figure(f"{kind}, large store", after[kind], "/s", least=round(least * 2 / 3)))
    figures.append(Figure("p99 of a search, large store, one at a time", worst, "ms", limit=30))
    size = await sql.fetchval(
        "select sum(pg_total_relation_size(c)) from unnest(array['records.resource', 'records.entry']::regclass[]) c"
    )
    figures.append(Figure("bytes on disk a resource, index included", float(size) / resources, "B"))
    await sql.close()
    return figures


def measure() -> Iterator[Figure]:
    """Each rate on the large store, at least two thirds of that on the small one; p99 of a search."""
    resources = int(os.environ.get("BEDSIDE_BENCH_RESOURCES", "100000"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    os.environ.setdefault("BEDSIDE_DATABASE_BUFFERS", sized(memory)["shared_buffers"].removesuffix("MB"))
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder, running(Path(folder) / "home") as clinic:
        yield from asyncio.run(_measure(clinic, resources))
