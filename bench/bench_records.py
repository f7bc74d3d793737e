"""The record at /fhir/R4 beside bare asyncpg on the same tables, same run, same cores: create, read, search, bundles.

Everything is on: token, validation, search index, history, audit. 16 connections (4 for transactions); the medians of
three rounds; one web process, as `bedside serve` starts on two cores. The generator runs on the same cores and takes
its share of them. Machines differ by a factor of five and more: so each rate is also held against bare asyncpg's
in the same run, at the share that its target is of what bare asyncpg did where the targets were set (13,000 creates,
28,000 reads, 11,000 searches and 58,000 readings a second).
"""

from __future__ import annotations

import asyncio
import base64
import json
import statistics
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import asyncpg
from tools.clinic import Clinic, running

from bedside.fhir import index
from bedside.foundation.home import Home
from bedside.foundation.ids import uuid7
from bedside.records.model import rows
from bedside.records.store import searching
from bedside.records.store import writing as store
from bedside.records.store.statement import Statement
from bedside.records.store.versions import Versions
from bench.cost import Meter
from bench.figure import Figure

CONNECTIONS = 16
ROUNDS = 3
SECONDS = 3.0
PATIENTS = 50
BATCH = 100
BARE = 999_999
"""The tenant of the bare rows: no ctx has it."""

Work = Callable[[], Awaitable[Any]]


def reading(n: int) -> dict[str, Any]:
    """The n-th Observation: a heart rate of one of the patients, a minute after the one before."""
    when = datetime.fromtimestamp(1_750_000_000 + n * 60, UTC).isoformat().replace("+00:00", "Z")
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}
    code = {"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}
    quantity = {"value": 60 + n % 40, "unit": "beats/minute", "system": "http://unitsofmeasure.org", "code": "/min"}
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [category]}],
        "code": {"coding": [code], "text": "Heart rate"},
        "subject": {"reference": f"Patient/bench-{n % PATIENTS}"},
        "effectiveDateTime": when,
        "valueQuantity": quantity,
    }


class Http:
    """One kept-alive connection, as lean as a client can be."""

    def __init__(self, host: str, token: str) -> None:
        self.host = host
        self.head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nAccept: application/fhir+json\r\n"

    async def open(self) -> None:
        """Connect."""
        name, _, port = self.host.partition(":")
        self.reader, self.writer = await asyncio.open_connection(name, int(port))

    async def send(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """One request: status and body."""
        kind = f"Content-Type: application/fhir+json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self.writer.write(f"{method} /fhir/R4{path} HTTP/1.1\r\n{self.head}{kind}\r\n".encode() + body)
        head = await self.reader.readuntil(b"\r\n\r\n")
        lower = head.lower()
        at = lower.find(b"content-length:")
        size = int(lower[at + 15 : lower.index(b"\r\n", at)]) if at >= 0 else 0
        return int(head[9:12]), await self.reader.readexactly(size)


async def rate(workers: list[Work], seconds: float = SECONDS) -> float:
    """Calls a second over all workers."""
    done = 0
    until = time.perf_counter() + seconds
    begun = time.perf_counter()

    async def loop(work: Work) -> None:
        nonlocal done
        while time.perf_counter() < until:
            await work()
            done += 1

    await asyncio.gather(*(loop(work) for work in workers))
    return done / (time.perf_counter() - begun)


def token_of(clinic: Clinic) -> str:
    """A token of a backend client that may do everything."""
    made = json.loads(clinic.command("client", "add", "bench", "--scope", "system/*.cruds", "--json"))
    secret = base64.b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode()
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{clinic.address}/oauth/token",
        urlencode({"grant_type": "client_credentials"}).encode(),
        {"Authorization": f"Basic {secret}"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        return str(json.load(answer)["access_token"])


@asynccontextmanager
async def doors(clinic: Clinic, token: str) -> AsyncIterator[list[Http]]:
    """Open connections."""
    made = [Http(urlsplit(clinic.address).netloc, token) for _ in range(CONNECTIONS)]
    for one in made:
        await one.open()
    yield made
    for one in made:
        one.writer.close()


class Served:
    """The four kinds of work through the program."""

    def __init__(self, doors: list[Http]) -> None:
        self.doors, self.n, self.ids = doors, count(), list[str]()

    async def prepare(self) -> None:
        """The patients."""
        for n in range(PATIENTS):
            body = json.dumps({"resourceType": "Patient", "id": f"bench-{n}"}).encode()
            status, answer = await self.doors[0].send("PUT", f"/Patient/bench-{n}", body)
            assert status in (200, 201), answer

    def create(self, door: Http) -> Work:
        async def work() -> None:
            status, body = await door.send("POST", "/Observation", json.dumps(reading(next(self.n))).encode())
            assert status == 201, body
            if len(self.ids) < 5000:
                self.ids.append(json.loads(body)["id"])

        return work

    def read(self, door: Http) -> Work:
        async def work() -> None:
            status, body = await door.send("GET", f"/Observation/{self.ids[next(self.n) % len(self.ids)]}")
            assert status == 200, body

        return work

    def search(self, door: Http) -> Work:
        async def work() -> None:
            patient = f"bench-{next(self.n) % PATIENTS}"
            query = f"patient={patient}&code=http://loinc.org%7C8867-4&_sort=-date&_count=20"
            status, body = await door.send("GET", f"/Observation?{query}")
            assert status == 200, body

        return work

    def bundle(self, door: Http) -> Work:
        async def work() -> None:
            request = {"method": "POST", "url": "Observation"}
            entries = [{"resource": reading(next(self.n)), "request": request} for _ in range(BATCH)]
            sent = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            status, body = await door.send("POST", "", json.dumps(sent).encode())
            assert status == 200, body

        return work


class Bare:
    """The same on the same tables with nothing between: no HTTP, no token, no validation, no audit."""

    def __init__(self, pool: list[Any]) -> None:
        self.pool, self.n, self.ids = pool, count(), list[int]()

    def _rows(self, size: int) -> tuple[Versions, rows.Rows]:
        versions, found = Versions(), rows.Rows()
        for _ in range(size):
            id_ = uuid7()
            made = self.template(next(self.n))
            rows.add(found, "Observation", id_, index.extract(made, composites=False, apart=True))
            self.ids.append(rows.rid("Observation", id_))
            body = json.dumps(made).encode()
            versions.add(datetime.now(UTC), self.ids[-1], "Observation", id_, 1, "POST", ["x"], body)
        return versions, found

    template = staticmethod(reading)

    async def prepare(self) -> None:
        """What is inserted is made before the clock runs."""
        self.ready = [self._rows(1) for _ in range(4000)]
        self.bundles = [self._rows(BATCH) for _ in range(40)]
        self.ids = []
        filters = searching.Search("Observation", _filters("bench-1"), _sorts(), 21)
        text, _, arguments = searching.compose(Statement(BARE), filters)
        self.statement = (text, *arguments, 0)

    async def _insert(self, sql: Any, made: tuple[Versions, rows.Rows]) -> None:
        """Insert what was made ahead under fresh numbers."""
        versions, found = made
        fresh = {old: rows.rid("Observation", uuid7()) for old in versions.rids}
        versions.rids = list(fresh.values())
        found.rids = [fresh[old] for old in found.rids]
        await sql.fetchval(store.INSERT, *store.arguments(BARE, versions, found))
        self.ids += versions.rids[:1]

    def create(self, sql: Any) -> Work:
        return lambda: self._insert(sql, self.ready[next(self.n) % len(self.ready)])

    def read(self, sql: Any) -> Work:
        text = "select body from records.resource where tenant = $1 and rid = $2"

        async def work() -> None:
            assert await sql.fetchval(text, BARE, self.ids[next(self.n) % len(self.ids)])

        return work

    def search(self, sql: Any) -> Work:
        async def work() -> None:
            await sql.fetch(*self.statement)

        return work

    def bundle(self, sql: Any) -> Work:
        return lambda: self._insert(sql, self.bundles[next(self.n) % len(self.bundles)])


def _filters(patient: str) -> Any:
    from bedside.fhir import grammar

    return grammar.parse("Observation", f"patient={patient}&code=http://loinc.org|8867-4").filters


def _sorts() -> Any:
    from bedside.fhir import grammar

    return grammar.parse("Observation", "_sort=-date").sort


async def _measure(clinic: Clinic) -> list[Figure]:
    token = token_of(clinic)
    dsn = Home(clinic.home).postgres.dsn()
    pool = [await asyncpg.connect(dsn) for _ in range(CONNECTIONS)]
    figures: list[Figure] = []
    async with doors(clinic, token) as https:
        served, bare = Served(https), Bare(pool)
        await served.prepare()
        await bare.prepare()
        for name, kind, lanes, each, least, share in (
            ("create", "create", CONNECTIONS, 1, 4000, 30),
            ("read", "read", CONNECTIONS, 1, 6000, 21),
            ("search, 20 newest of one code and patient", "search", CONNECTIONS, 1, 3500, 32),
            (f"readings in transactions of {BATCH}", "bundle", 4, BATCH, 12000, 21),
        ):
            meter = Meter(clinic.pid)
            ours, taken = [], 0
            for _ in range(ROUNDS):
                ours.append(await rate([getattr(served, kind)(door) for door in https[:lanes]]))
                taken += int(ours[-1] * SECONDS) * each
            spent = meter.spent()
            theirs = [await rate([getattr(bare, kind)(sql) for sql in pool[:lanes]]) for _ in range(ROUNDS)]
            mine, best = statistics.median(ours) * each, statistics.median(theirs) * each
            figures.append(Figure(name, mine, "/s", least=least))
            figures.append(Figure("  bare asyncpg, the same tables", best, "/s"))
            figures.append(Figure("  share of bare", 100 * mine / best, "%", least=share))
            for process, seconds in sorted(spent.items(), key=lambda one: -one[1]):
                if seconds * 1e6 / taken >= 1:
                    figures.append(Figure(f"  processor of {process}", seconds * 1e6 / taken, "µs"))
    sizes = await pool[0].fetchrow(
        "select (select count(*) from records.resource) as n,"
        " pg_total_relation_size('records.resource') + pg_total_relation_size('records.entry')"
        " + pg_total_relation_size('records.word') as bytes"
    )
    figures.append(Figure("bytes on disk a resource, index included", sizes["bytes"] / sizes["n"], "B"))
    for sql in pool:
        await sql.close()
    return figures


def measure() -> Iterator[Figure]:
    """Every figure, those that are to be reached beside what is to be reached, and the processor time of a request."""
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as folder, running(Path(folder) / "home") as clinic:
        yield from asyncio.run(_measure(clinic))
