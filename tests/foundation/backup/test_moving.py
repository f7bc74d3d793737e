"""`bedside restore --database-url`: a clinic that lived on the embedded database comes back in one that others run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from bedside import access
from bedside.app.console import operator
from bedside.cli import cli
from bedside.foundation import private
from bedside.foundation.backup import archiver, settings
from bedside.foundation.backup.archive import explain
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.places import Place
from bedside.foundation.engines import Postgres
from bedside.foundation.home import Home
from bedside.foundation.migrate import migrate
from bedside.foundation.settings import Settings

pytestmark = pytest.mark.engine


async def lived_in(home: Home, dsn: str) -> None:
    """Two entries of the audit, sealed."""
    await migrate(dsn)
    async with operator(Settings(home.path, dsn, "", demo=False)) as ctx:
        for deed in ("looked at one thing", "looked at another"):
            async with access.work(ctx, deed) as inner:
                inner.trail.wrote = True
        await access.seal_audit(ctx.database, home.path, ctx.clock)


async def ask(dsn: str, sql: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(sql))
    finally:
        await connection.close()


def backed_up(folder: Path, key: RecoveryKey) -> Place:
    """A clinic of some past, and its backup; the clinic stands still afterwards."""
    home = Home(folder / "home")
    home.take(demo=False)
    postgres = home.postgres
    postgres.settings["fsync"] = "off"
    postgres.start()
    try:
        postgres.create_database()
        asyncio.run(lived_in(home, postgres.dsn()))
        private.write(home.path / "keys" / "backup.pem", key.signer().pem())
        place = Place.typed(str(folder / "store"))
        told = settings.Settings(to=place.to, recipient=key.recipient, line="L")
        explain(told.store)
        settings.put(home.path, told)
        archiver.once(home, told, other=False, tell=lambda _: None)
    finally:
        postgres.stop()
    return place


def test_all_or_nothing_of_it_goes_into_an_empty_database(tmp_path: Path) -> None:
    key = RecoveryKey.make()
    place = backed_up(tmp_path, key)
    private.write(tmp_path / "key", key.line)
    others = Postgres(tmp_path / "others")
    others.start()

    def restored(name: str, url: str) -> tuple[int, str]:
        words = ["restore", "--from", place.to, "--key", str(tmp_path / "key"), "--home", str(tmp_path / name)]
        done = CliRunner().invoke(cli, [*words, "--database-url", url])
        return done.exit_code, done.output

    try:
        others.create_database()
        others.create_database("full")
        others.ask("create table theirs (n int)", "full")
        code, said = restored("refused", others.dsn("full"))
        assert (code, "not empty: it holds public.theirs" in said) == (1, True), said
        assert not (tmp_path / "refused" / "bedside.json").exists()

        code, said = restored("again", others.dsn())
        assert code == 0, said
        assert "and that database in" in said
        assert "--database-url …" in said
        assert others.password() not in said
        assert ": whole." in said
        entries = "select count(*) from access.audit where action like 'looked at%'"
        assert asyncio.run(ask(others.dsn(), entries)) == 2
        # The home holds no second database that somebody might start by mistake.
        assert not (tmp_path / "again" / "postgres").exists()
        Home(tmp_path / "again").check(demo=False)
        code, said = restored("twice", others.dsn())
        assert (code, "not empty" in said) == (1, True)
    finally:
        others.stop()
