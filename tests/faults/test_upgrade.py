"""An earlier clinic's home under today's program: refused without a backup, upgraded after one, and taken back.

The way back that always is there, the restore of the backup made before, is what `bedside migrate --back-to` prints;
the line is run as it stands. The other way keeps what was acknowledged since.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest
from tests.foundation import earlier
from tests.foundation.program import Program
from tests.foundation.test_migrate import acknowledge, kept_packs
from typer.testing import CliRunner

from bedside import __version__, app
from bedside.cli import cli
from bedside.foundation import migrate, private, steps, upgrade
from bedside.foundation.home import Home
from bedside.foundation.settings import Settings

pytestmark = pytest.mark.faults

WAS = "0.0.9"
TOUCHED_BY_A_RESTORE = ("access.audit", "access.audit_pending", "access.audit_seal")


def bedside(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words)
    return done.exit_code, done.output


@contextmanager
def database(home: Path) -> Iterator[str]:
    """The home's, running for as long as that."""
    postgres = Home(home).postgres
    postgres.start()
    try:
        postgres.create_database()
        yield postgres.dsn()
    finally:
        postgres.stop()


async def look(dsn: str, of: dict[str, str] | None = None) -> tuple[dict[str, str], earlier.Digest, str, set[int]]:
    connection = await asyncpg.connect(dsn)
    try:
        of = of or await earlier.columns(connection)
        of = {name: columns for name, columns in of.items() if name not in TOUCHED_BY_A_RESTORE}
        revision = await connection.fetchval("select version_num from foundation.alembic_version")
        return of, await earlier.digest(connection, of), revision, await kept_packs(connection)
    finally:
        await connection.close()


async def write(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await acknowledge(connection, 7)
    await connection.close()


@pytest.mark.timeout(300)
def test_an_earlier_clinic_is_upgraded_after_a_backup_and_both_ways_back_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    home, store, key = tmp_path / "home", tmp_path / "store", tmp_path / "safe" / "key"
    private.write(home / "bedside.json", json.dumps({"layout": 1, "version": WAS, "demo": False}))
    with database(home) as dsn:
        asyncio.run(earlier.play(dsn))
        of, before, revision, _ = asyncio.run(look(dsn))
    program = Program(home)
    request.addfinalizer(program.end)

    out = program.refused()
    assert "a backup comes first. Nothing was changed" in out
    assert f"bedside backup init --to FOLDER --home {home}" in out
    assert (Home(home).made() or {})["version"] == WAS

    code, out = bedside("backup", "init", "--to", str(store), "--home", str(home), "--key-file", str(key))
    assert code == 0, out
    program.start()
    told = program.told()
    assert re.search(r"Backup \S+ \((full|incremental)\) is whole", told)
    assert "0027 access: duties by weekday" in told
    assert (Home(home).made() or {})["version"] == __version__
    with_it = Home(home).postgres.dsn()
    asyncio.run(write(with_it))
    program.stop()

    # What would be said if a step could not go back; the line that it prints is the way.
    stuck = [replace(one, loses=None) if one.revision == "0029" else one for one in steps.steps()]
    with database(home) as dsn, monkeypatch.context() as patch:
        patch.setattr(migrate, "steps", lambda: stuck)
        settings = Settings(home, dsn, "", own_database=True)
        assert asyncio.run(app.way_back(settings, revision)) is None
        said = asyncio.run(app.no_way_but_the_backup(settings, revision))
    words = f"{said.message} {said.remedy}"
    assert "Step 0029 " in words
    assert " is LOST by it" in words
    assert "monitoring.pack +1" in words
    assert f"({WAS})" in words
    [line] = [each.strip() for each in words.splitlines() if "bedside restore" in each]
    fresh = tmp_path / "fresh"
    line = line.replace("KEY_FILE", str(key)).replace("NEW_HOME", str(fresh))
    code, out = bedside(*shlex.split(line)[1:])
    assert code == 0, out
    with database(fresh) as dsn:
        assert asyncio.run(look(dsn, of)) == (of, before, revision, set())
    assert (Home(fresh).made() or {})["version"] == WAS

    near = earlier.NEAR
    code, out = bedside("migrate", "--home", str(home), "--back-to", near, "--yes")
    assert code == 0, out
    assert "is whole" in out
    version = WAS if near == revision else __version__
    assert f"start the version of then ({WAS})" in out or near != revision
    with database(home) as dsn:
        _, _, now, packs = asyncio.run(look(dsn, of))
    assert (now, packs) == (near, {7})
    assert [(one.before, one.after, bool(one.set)) for one in upgrade.kept(home)] == [
        (revision, steps.revisions()[-1], True),
        (steps.revisions()[-1], near, True),
    ]
    assert (Home(home).made() or {})["version"] == version
