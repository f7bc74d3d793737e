"""The database's one line of history: Alembic's files in migrations/, run without an ini file."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg

from bedside.foundation.database import UNREACHABLE, Database, unreachable
from bedside.foundation.errors import Conflict, Unavailable

LOCK = 0x6265647369646531  # 'bedside1': one migrator at a time


def directory() -> Path:
    """migrations/ of the checkout, else the copy packed into the wheel."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_migrations", package.parent.parent / "migrations"):
        if (place / "env.py").exists():
            return place
    raise Unavailable("The migrations are not installed.", remedy="Install Bedside again.")


@cache
def revisions() -> list[str]:
    """Every revision this program knows, oldest first. Read without Alembic, whose import costs a third of a second.

    Raises ValueError when the history is not one line.
    """
    after: dict[str | None, str] = {}
    for path in sorted((directory() / "versions").glob("*.py")):
        text = path.read_text()
        name = re.search(r'^revision(?:: str)? = "([^"]+)"', text, re.MULTILINE)
        down = re.search(r'^down_revision(?:: str \| None)? = (?:None|"([^"]+)")', text, re.MULTILINE)
        if name is None or down is None or down[1] in after:
            raise ValueError(f"{path.name} is not in one line of history")
        after[down[1]] = name[1]
    line: list[str] = []
    while (following := after.pop(line[-1] if line else None, None)) is not None:
        line.append(following)
    if after:
        raise ValueError(f"no way from the start to {sorted(after.values())}")
    return line


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands: its revision (None: empty) and how many steps are missing."""

    revision: str | None
    missing: int


async def standing(connection: Any) -> Standing:
    """Where this database stands. Raises Conflict when a newer Bedside made it: going back would lose data."""
    known = revisions()
    made = await connection.fetchval("select to_regclass('foundation.alembic_version') is not null")
    revision = await connection.fetchval("select version_num from foundation.alembic_version") if made else None
    if revision is not None and revision not in known:
        raise Conflict(
            f"This database was made by a newer Bedside (revision {revision}).",
            remedy="Install that version, or restore a backup taken before the upgrade.",
        )
    return Standing(revision, len(known) - (known.index(revision) + 1 if revision else 0))


async def migrate(dsn: str) -> int:
    """Bring the database to the newest revision; how many steps were taken. Whole or not at all; safe to race.

    Raises Unavailable when the server cannot be reached, Conflict when a newer Bedside made the database.
    """
    try:
        connection = await asyncpg.connect(dsn)
    except UNREACHABLE as error:
        raise unreachable(error) from error
    try:
        await connection.execute("select pg_advisory_lock($1)", LOCK)
        steps = (await standing(connection)).missing
        if steps:
            await connection.execute("create schema if not exists foundation")
            await _upgrade(dsn)
        return steps
    finally:
        await connection.close()


async def migrate_safely(dsn: str) -> int:
    """The same, of a database that others run: one that could lose what it acknowledged is not touched.

    Raises Unavailable naming the settings to change.
    """
    database = await Database.connect(dsn, size=1, name="bedside prepare")
    try:
        if unsafe := await database.unsafe_settings():
            raise Unavailable("This PostgreSQL may lose what it has acknowledged.", remedy="; ".join(unsafe) + ".")
    finally:
        await database.close()
    return await migrate(dsn)


async def _upgrade(dsn: str) -> None:
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    config = Config()
    config.set_main_option("script_location", str(directory()).replace("%", "%%"))

    def run(connection: Any) -> None:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    engine = create_async_engine(
        "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(dsn), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(run)
    finally:
        await asyncio.shield(engine.dispose())
