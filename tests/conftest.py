"""The test runner's rules and the fixtures every room uses. Engines are the real ones, started once a session."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import asyncpg
import hypothesis
import playwright.async_api
import playwright.sync_api
import pytest

from bedside.foundation.bus import Bus, no_bus
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.engines import Nats, Postgres
from bedside.foundation.migrate import migrate

CATEGORIES = ("unit", "engine", "conformance", "journey", "faults", "soak")
TEMPLATE = "bedside_template"
MEMORY = Path("/dev/shm")
ROOM = 6 << 30
"""Bytes that are to be free there: four workers' databases and their logs."""
PATIENCE = 15_000
"""Milliseconds that a page may take to show what a test waits for, on a machine that is busy with other things. What
must be there sooner says so itself."""


def _memory() -> Path | None:
    """Where temporary files lie in memory; None where there is too little of it."""
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM
    return MEMORY if roomy else None


def pytest_configure() -> None:
    """What holds for every test.

    Temporary folders lie in memory: no test pulls the plug, so that what a disk's sync costs is time for nothing.

    (A killed process leaves what it wrote to the system either way. Programs under test sync as ever.)
    """
    if memory := _memory():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))
        tempfile.tempdir = str(memory)
    # A machine that is busy with other things holds an example up for longer than Hypothesis waits by itself. And what
    # passed once passes again: what no run has met yet is looked for by make soak, with dice.
    dice, busy = bool(os.environ.get("BEDSIDE_DICE")), [hypothesis.HealthCheck.too_slow]
    hypothesis.settings.register_profile(
        "bedside", deadline=None, derandomize=not dice, database=None, suppress_health_check=busy
    )
    hypothesis.settings.load_profile("bedside")
    playwright.async_api.expect.set_options(timeout=PATIENCE)
    playwright.sync_api.expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Every test says of which kind it is, and is of one kind; soak runs only when it is asked for."""
    for item in items:
        kinds = [name for name in CATEGORIES if item.get_closest_marker(name)]
        if len(kinds) != 1:
            raise pytest.UsageError(f"{item.nodeid}: one of {', '.join(CATEGORIES)} as pytestmark, found {kinds}")
    # The quick and the pure first; what kills engines last. Within a kind the random order stands.
    items.sort(key=lambda item: next(n for n, name in enumerate(CATEGORIES) if item.get_closest_marker(name)))
    if "soak" not in config.option.markexpr:
        items[:] = [item for item in items if not item.get_closest_marker("soak")]


@pytest.fixture(autouse=True)
def _no_sockets(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit test reaches nothing."""
    if request.node.get_closest_marker("unit"):

        def refuse(*_: object, **__: object) -> None:
            raise AssertionError("a unit test opened a socket: mark the module `engine`, or take the socket out")

        for name in ("connect", "connect_ex", "bind", "sendto"):
            monkeypatch.setattr(socket.socket, name, refuse)


@pytest.fixture(scope="session")
def engines_home() -> Iterator[Path]:
    """A directory for the session's engines, short enough for sockets and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="bedside-tests-") as name:
        yield Path(name)


@contextmanager
def migrated(root: Path, **settings: str) -> Iterator[Postgres]:
    """A running PostgreSQL with the migrated template database."""
    engine = Postgres(root, settings=settings)
    engine.start()
    try:
        engine.create_database(TEMPLATE)
        asyncio.run(migrate(engine.dsn(TEMPLATE)))
        yield engine
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def postgres(engines_home: Path) -> Iterator[Postgres]:
    """The embedded PostgreSQL, running, with the migrated template database.

    It does not sync: no test of it pulls the plug. What outlives that is shown where the program runs its own.
    """
    with migrated(engines_home / "postgres", fsync="off") as engine:
        yield engine


@pytest.fixture
async def database_url(postgres: Postgres) -> AsyncIterator[str]:
    """The URL of a fresh, migrated database of this test's own."""
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(postgres.dsn("postgres"))
    try:
        # Copied as files: a third of the time of copying through the log, which nobody reads here.
        await admin.execute(f"create database {name} template {TEMPLATE} strategy file_copy")
        yield postgres.dsn(name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A pool on a fresh, migrated database."""
    pool = await Database.connect(database_url)
    try:
        yield pool
    finally:
        await pool.close()


@pytest.fixture(scope="session")
def nats(engines_home: Path) -> Iterator[Nats]:
    """The embedded NATS, running: .url for Bedside's own login, .mqtt_port, .login().seed for the auth callout."""
    engine = Nats(engines_home / "nats")
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


@pytest.fixture
def nats_url(nats: Nats) -> str:
    """Bedside's own login in it."""
    return nats.url


@pytest.fixture
async def bus(nats_url: str) -> AsyncIterator[Bus]:
    """A connection to NATS."""
    link = await Bus.connect(nats_url)
    try:
        yield link
    finally:
        await link.close()


@pytest.fixture
def clock() -> TurnableClock:
    """Stands at 2026-11-21 12:00 UTC until turned."""
    return TurnableClock(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))


@pytest.fixture
def ctx(database: Database, clock: TurnableClock) -> Ctx:
    """The program's own work: may do everything, in tenant 1, with a bus that drops what is sent.

    For a test of the bus: `ctx.with_(bus=bus)`. A transaction is opened as in the program, by access.work.
    """
    actor = Actor("job", "tests", "tests", roles=frozenset({"system"}))
    return Ctx(actor, "HOPERAT", 1, clock, database, no_bus(), origin="tests")
