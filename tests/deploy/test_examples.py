"""The other files that a production is made of: PostgreSQL takes its section, systemd the units, and both are safe."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bedside.foundation.database import Database
from bedside.foundation.engines import Postgres

pytestmark = pytest.mark.engine

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
OURS = {"archive_command", "ssl"}
"""What only the operator's own server can take: their archive, their certificate."""


async def test_postgresql_takes_its_section_and_loses_nothing(tmp_path: Path) -> None:
    text = (DEPLOY / "postgresql" / "bedside.conf").read_text()
    told = dict(re.findall(r"^(\w+) = '?([^'#\n]+?)'?\s*(?:#.*)?$", text, re.M))
    assert len(told) > 15
    engine = Postgres(
        tmp_path / "pg", settings={k: v for k, v in told.items() if k not in OURS} | {"shared_buffers": "32MB"}
    )
    engine.start()
    try:
        engine.create_database()
        database = await Database.connect(engine.dsn(), size=1)
        try:
            assert await database.unsafe_settings() == []
            async with database.connection() as sql:
                assert await sql.fetchval("show max_connections") == "200"
        finally:
            await database.close()
    finally:
        engine.stop()


@pytest.mark.parametrize("unit", sorted((DEPLOY / "systemd").glob("*.service")), ids=lambda unit: unit.name)
def test_systemd_takes_the_unit_and_finds_it_well_shut(unit: Path, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("NOT TRIED: systemd-analyze is not installed here")
    here = tmp_path / unit.name
    here.write_text(unit.read_text().replace("/opt/bedside/.venv/bin/bedside", shutil.which("true") or ""))
    done = subprocess.run(["systemd-analyze", "verify", here], capture_output=True, text=True, timeout=60, check=False)
    complaints = [line for line in done.stderr.splitlines() if unit.stem.rstrip("@") in line]
    assert not complaints
    words = ["systemd-analyze", "security", "--offline=true", "--threshold=25", here]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout[-300:]
