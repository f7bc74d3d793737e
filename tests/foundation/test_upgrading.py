"""What `serve` and `bedside migrate` do with a database of an earlier Bedside before they touch it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from tests.foundation import earlier
from typer.testing import CliRunner

from bedside import app
from bedside.app import processes
from bedside.cli import cli
from bedside.foundation import private, upgrade
from bedside.foundation.errors import Conflict
from bedside.foundation.home import Home
from bedside.foundation.settings import Settings
from bedside.foundation.steps import revisions

pytestmark = pytest.mark.engine


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.take(demo=False)
    return made


async def revision(dsn: str) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        return str(await connection.fetchval("select version_num from foundation.alembic_version"))
    finally:
        await connection.close()


async def bedside(*words: str) -> tuple[int, str]:
    """The command, in a thread: it has an event loop of its own."""
    done = await asyncio.to_thread(CliRunner().invoke, cli, words)
    return done.exit_code, done.output


@pytest.mark.parametrize("own", [True, False])
async def test_a_clinic_without_a_backup_is_told_and_left_alone(then: str, home: Home, own: bool) -> None:
    said: list[str] = []
    settings = Settings(home.path, then, "", own_database=own)
    before = earlier.schema(then)
    with pytest.raises(Conflict, match=r"a backup comes first. Nothing was changed") as refused:
        await app.upgrade(settings, said.append)
    assert "--without-backup" in (refused.value.remedy or "")
    assert ("bedside backup init" in (refused.value.remedy or "")) == own
    assert any("0027" in line for line in said)
    assert earlier.schema(then) == before
    assert upgrade.kept(home.path) == []


async def test_the_reason_for_no_backup_is_in_the_audit_even_of_a_process_that_was_killed(
    then: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home.path, then, "")

    async def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("bedside.app.upgrading._audit", killed)
        await app.upgrade(settings, lambda _: None, without="pgBackRest, 02:00")
    for _ in range(2):  # the next start writes it, the one after does not write it again
        assert await app.upgrade(settings, lambda _: None) == 0
    connection = await asyncpg.connect(then)
    [found] = await connection.fetch("select * from access.audit where action = 'brought the database up to date'")
    await connection.close()
    assert found["reason"] == "no backup before: pgBackRest, 02:00"
    assert found["entities"] == [f"migration/{earlier.REVISION}..{revisions()[-1]}"]
    [one] = upgrade.kept(home.path)
    assert (one.before, one.after, one.audited) == (earlier.REVISION, revisions()[-1], True)


async def test_an_empty_database_and_a_demo_are_not_asked(then: str, home: Home) -> None:
    assert await app.upgrade(Settings(home.path, then, "", demo=True), lambda _: None) > 0
    connection = await asyncpg.connect(then)
    await connection.execute("drop schema foundation, jobs, access, records, monitoring, messaging cascade")
    await connection.execute("drop schema visits, prescribing, exchange, orders cascade")
    await connection.close()
    said: list[str] = []
    assert await app.upgrade(Settings(home.path, then, ""), said.append) == len(revisions())
    assert said == []


async def test_whoever_says_no_has_changed_nothing(then: str, home: Home) -> None:
    def no() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await app.upgrade(Settings(home.path, then, ""), lambda _: None, without="why", ask=no)
    assert await revision(then) == earlier.REVISION
    assert upgrade.kept(home.path) == []


async def test_the_command_tells_does_and_goes_back(then: str, tmp_path: Path) -> None:
    where = ("--database-url", then, "--home", str(tmp_path / "nothing"))
    code, out = await bedside("migrate", *where, "--plan")
    assert (code, "Estimate: about" in out, await revision(then)) == (0, True, earlier.REVISION)
    code, out = await bedside("migrate", *where)
    assert (code, "whoever runs that PostgreSQL" in out) == (1, True)
    code, out = await bedside("migrate", *where, "--without-backup", "pgBackRest")
    assert (code, await revision(then)) == (0, revisions()[-1]), out
    assert await bedside("migrate", *where) == (0, "Already up to date.\n")
    connection = await asyncpg.connect(then)
    back = ("migrate", *where, "--back-to", earlier.NEAR, "--without-backup", "pgBackRest")
    expected, lost = "Nothing would be lost", ""
    if revisions().index(earlier.NEAR) < revisions().index("0027.2"):
        await connection.execute("insert into messaging.quiet values (1, 'nina', '22:00', '07:00')")
        expected, lost = "LOST", "1 people's quiet hours"
    code, out = await bedside(*back)
    assert code == 1
    assert expected in out
    assert lost in out
    assert "Say --yes" in out
    code, out = await bedside(*back, "--yes")
    assert (code, await revision(then)) == (0, earlier.NEAR), out
    reason = await connection.fetchval("select reason from access.audit where action like 'took the database back%'")
    assert "pgBackRest" in reason
    assert lost in reason
    code, out = await bedside("migrate", *where, "--back-to", "0020")
    assert (code, "The way back is the backup" in out) == (1, True)
    await connection.close()
    assert not (tmp_path / "nothing").exists()


async def test_a_newer_home_is_refused_before_anything(then: str, home: Home) -> None:
    home.settled("99.1")
    code, out = await bedside("migrate", "--database-url", then, "--home", str(home.path), "--without-backup", "x")
    assert code == 1
    assert "made by a newer Bedside (99.1; this is " in out
    assert await revision(then) == earlier.REVISION


@pytest.mark.parametrize(
    ("said", "backups", "without"),
    [(False, False, ""), (True, False, "serve --migrate"), (True, True, ""), (False, True, "")],
)
async def test_serve_goes_on_without_a_backup_only_where_somebody_said_so_and_none_can_be_made(
    home: Home, monkeypatch: pytest.MonkeyPatch, said: bool, backups: bool, without: str
) -> None:
    """BEDSIDE_MIGRATE that somebody forgot does not end the backups before upgrades."""
    if backups:
        private.write(home.path / "backup" / "settings.json", "{}")

    async def asked(*_: object, **choices: object) -> int:
        raise Conflict(repr(choices["without"]))

    monkeypatch.setattr(processes, "upgrade", asked)
    with pytest.raises(Conflict, match=f"^'{without}'$"):
        await processes.run_prepare(Settings(home.path, "", "", own_database=True, migrate=said), lambda _: None)
