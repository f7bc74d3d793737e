"""The doctor finds what is wrong and names the remedy, and finds nothing where nothing is."""

import os
import shutil
import socket
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bedside.foundation import doctor, jobs
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.doctor import Finding, installation, machine
from bedside.foundation.engines import Postgres
from bedside.foundation.errors import Forbidden, NotFound
from bedside.foundation.home import Home
from bedside.foundation.reaching import reach
from bedside.foundation.settings import Settings

pytestmark = pytest.mark.engine

Look = Callable[[str], Awaitable[list[Finding]]]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    """The bad findings of an installation on that database."""

    async def one(url: str) -> list[Finding]:
        found = await installation(Settings(tmp_path, url, ""), Home(tmp_path))
        return [finding for finding in found if finding.state == "bad"]

    return one


def test_a_machine_in_order_has_nothing_bad(tmp_path: Path) -> None:
    found = list(machine(tmp_path / "home", {"--port": ("127.0.0.1", 0)}, running=False))
    assert [finding for finding in found if finding.state == "bad"] == []
    assert len(found) >= 7


def test_a_taken_port_and_a_full_disk_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        bad = [
            f for f in machine(tmp_path / "home", {"--port": ("127.0.0.1", port)}, running=False) if f.state == "bad"
        ]
    assert [finding.what.split(":")[0].split(" are")[0] for finding in bad] == [
        "1 MB",
        f"Port {port} (--port) is taken by another program.",
    ]
    assert bad[1].remedy == "Choose another: --port."


async def test_a_database_in_order_has_nothing_bad(look: Look, database_url: str) -> None:
    assert await look(database_url) == []


async def test_a_database_that_is_away_is_found(look: Look, tmp_path: Path) -> None:
    [away] = await look(f"postgresql://bedside@/bedside?host={tmp_path}")
    assert away.what == "The database cannot be reached."


async def test_missing_migrations_are_found(look: Look, postgres: Postgres) -> None:
    [missing] = await look(postgres.dsn("postgres"))
    assert missing.remedy == "Run bedside migrate."


async def test_a_parked_job_is_found(look: Look, database_url: str, database: Database, ctx: Ctx) -> None:
    async def broken(_: Ctx, __: dict[str, object]) -> None:
        worker.stop()
        raise ValueError("Maria")

    worker = jobs.Worker(database, no_bus(), SystemClock(), {"tests.broken": broken}, attempts=1)
    async with database.transaction() as sql:
        made = await jobs.enqueue(ctx.with_(tx=sql), "tests.broken", {})
    await worker.run()
    [found] = await look(database_url)
    assert found.what.startswith("The job tests.broken failed for good: ValueError in ")
    assert found.remedy == f"bedside jobs release {made}"


def test_downtime_copies_that_stand_still_are_found(tmp_path: Path) -> None:
    home = Home(tmp_path)
    assert [one.state for one in doctor.downtime(home, running=True)] == ["note"]
    folder = tmp_path / "downtime"
    folder.mkdir()
    (folder / "settings.json").write_text("{}")
    assert [one.state for one in doctor.downtime(home, running=True)] == ["bad"]
    for minutes, state in ((4, "good"), (16, "bad")):
        at = datetime.now(UTC) - timedelta(minutes=minutes)
        (folder / "state.json").write_text(f'{{"at": "{at.isoformat()}"}}')
        [found] = doctor.downtime(home, running=True)
        assert (found.state, found.what) == (state, f"The downtime copies are {minutes} min old.")


def test_a_door_is_looked_for_where_it_was_opened(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as door:
        port = door.getsockname()[1]
        for host, state in (("127.0.0.2", "good"), ("127.0.0.3", "bad")):
            found = [one for one in machine(tmp_path, {"--port": (host, port)}, running=True) if "--port" in one.what]
            assert [one.state for one in found] == [state]


def test_why_no_downtime_copy_is_written_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "downtime"
    folder.mkdir()
    (folder / "settings.json").write_text("{}")
    for at in ("null", f'"{datetime.now(UTC).isoformat()}"'):
        (folder / "state.json").write_text(f'{{"at": {at}, "error": "The share is away. Connect it."}}')
        [found] = doctor.downtime(Home(tmp_path), running=True)
        assert found.state == "bad"
        assert found.remedy.startswith("The share is away. Connect it. Look at the folder")
    doctor.numbers(Home(tmp_path))


def test_of_a_database_that_others_run_the_backup_is_theirs(tmp_path: Path) -> None:
    [found] = doctor.backups(Home(tmp_path), running=True, own=False)
    assert (found.state, found.remedy[:19]) == ("note", "bedside backup init")


async def test_a_home_without_a_database_of_its_own_gets_none_by_being_asked(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.take(demo=False)
    with pytest.raises(NotFound, match="run by others"), reach(home.path):
        pass
    assert not (home.path / "postgres").exists()


def test_a_home_is_its_own_users_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What root writes into the home of a service, the service cannot read: its backups would stand still."""
    home = Home(tmp_path / "home")
    home.take(demo=False)
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    with pytest.raises(Forbidden, match=r"home belongs to the user \w+\.") as refused:
        Home(home.path).made()
    assert refused.value.remedy


async def test_a_nats_that_does_not_answer_is_found(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"nats://127.0.0.1:{mute.getsockname()[1]}"
        found = await doctor.bus_outside(Settings(tmp_path, "", url))
    assert (found.state, found.what[:21]) == ("bad", "NATS does not answer:")
    assert (await doctor.bus_outside(Settings(tmp_path, "", ""))).state == "note"
