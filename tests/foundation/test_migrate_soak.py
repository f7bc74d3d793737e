"""From nothing to today's schema by processes that are killed at random, again and again."""

from __future__ import annotations

from uuid import uuid4

import asyncpg
import pytest
from tests.foundation import earlier
from tests.foundation.test_migrate import killed_in_the_middle

from bedside.foundation.engines import Postgres
from bedside.foundation.migrate import migrate
from bedside.foundation.steps import revisions

pytestmark = pytest.mark.soak

ROUNDS, KILLS = 12, 5


async def test_killed_again_and_again_it_ends_in_the_same_schema(postgres: Postgres, database_url: str) -> None:
    straight, seen = earlier.schema(database_url), set[str]()
    admin = await asyncpg.connect(postgres.dsn("postgres"))
    for _ in range(ROUNDS):
        name = f"killed_{uuid4().hex}"
        await admin.execute(f"create database {name}")
        seen |= {await killed_in_the_middle(postgres.dsn(name), 0, within=1.5) for _ in range(KILLS)}
        await migrate(postgres.dsn(name))
        assert earlier.schema(postgres.dsn(name)) == straight
        await admin.execute(f"drop database {name}")
    await admin.close()
    print(f"\nkilled at {sorted(seen - {''}, key=revisions().index)}")
    assert len(seen) > 2
