"""Foundation's tests look at the engine itself: as it is shipped, with every promise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
from tests.conftest import migrated
from tests.foundation import earlier

from bedside.foundation.engines import Postgres


@pytest.fixture(scope="session")
def postgres(engines_home: Path) -> Iterator[Postgres]:
    """The embedded PostgreSQL with the settings that a clinic runs with."""
    with migrated(engines_home / "shipped") as engine:
        yield engine


@pytest.fixture
async def then(postgres: Postgres) -> AsyncIterator[str]:
    """The address of a database of an earlier Bedside, with the rows that it wrote."""
    name = f"then_{uuid4().hex}"
    admin = await asyncpg.connect(postgres.dsn("postgres"))
    try:
        await admin.execute(f"create database {name}")
        await earlier.play(postgres.dsn(name))
        yield postgres.dsn(name)
        await admin.execute(f"drop database {name} with (force)")
    finally:
        await admin.close()
