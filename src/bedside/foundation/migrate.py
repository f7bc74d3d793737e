"""Alembic's files in migrations/ run forward and back, a step a transaction, one migrator at a time; no ini file.

A step that is broken off leaves nothing; the next start goes on with it. Whoever waits for a lock gives it up after a
few seconds and tries again, so that clients never stand in a queue behind a step that stands in one itself.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

import bedside
from bedside.foundation.database import UNREACHABLE, Database, unreachable
from bedside.foundation.errors import Conflict, Unavailable
from bedside.foundation.steps import directory, revisions, steps

LOCK = 0x6265647369646531  # 'bedside1': one migrator at a time
PATIENCE = "2s"
"""For which a step waits for a lock, and whoever comes after it waits too."""
AGAIN = 0.5
TRIES = 240
"""Of a step that others stand in the way of: some minutes in all."""
IN_THE_WAY = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
MADE_BY = "Bedside "

Say = Callable[[str], None]
Count = dict[str, int]


def _silent(_: str) -> None:
    """Nobody listens."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands: its revision (None: empty), how many steps are missing, and the version that made it."""

    revision: str | None
    missing: int
    version: str = ""


async def standing(connection: Any) -> Standing:
    """Where this database stands. Raises Conflict when a newer Bedside made it: going back would lose data."""
    known = revisions()
    made = await connection.fetchval("select to_regclass('foundation.alembic_version') is not null")
    if not made:
        return Standing(None, len(known))
    revision = await connection.fetchval("select version_num from foundation.alembic_version")
    words = await connection.fetchval("select obj_description('foundation.alembic_version'::regclass, 'pg_class')")
    version = (words or "").removeprefix(MADE_BY)
    if revision is not None and revision not in known:
        which = f"{version}, revision {revision}" if version else f"revision {revision}"
        raise Conflict(
            f"This database was made by a newer Bedside ({which}; this is {bedside.__version__}).",
            remedy="Install that version, or restore a backup taken before the upgrade.",
        )
    return Standing(revision, len(known) - (known.index(revision) + 1 if revision else 0), version)


async def migrate(dsn: str, say: Say = _silent, to: str = "") -> int:
    """Bring the database to a revision, else the newest; how many steps. Each whole or not at all; safe to race.

    Raises Unavailable when the server cannot be reached or clients hold a table for minutes, Conflict when a newer
    Bedside made the database.
    """
    async with _alone(dsn, say) as connection:
        at = await standing(connection)
        found = at.missing - (len(revisions()) - 1 - revisions().index(to) if to else 0)
        if found > 0:
            await connection.execute("create schema if not exists foundation")
            # An empty database is made at one go: nobody waits for the names of its steps.
            await _run(connection, say if at.revision else _silent, "upgrade", to or "head", found)
        return max(found, 0)


async def losses(connection: Any, to: str) -> Count | None:
    """What going back to a revision would lose, by words, without those of which there is nothing. None: some step on
    the way cannot go back.
    """
    found: Count = {}
    for step in await _on_the_way(connection, to):
        if step.loses is None:
            return None
        for words, sql in step.loses.items():
            many = int(await connection.fetchval(sql))
            if many:
                found[words] = found.get(words, 0) + many
    return found


async def stuck(connection: Any, to: str) -> list[str]:
    """The steps on the way that cannot go back, the newest first, each as `0026 title`."""
    return [f"{step.revision} {step.title}" for step in await _on_the_way(connection, to) if step.loses is None]


async def back(dsn: str, to: str, agreed: Count, say: Say = _silent) -> int:
    """Take the database back to a revision; how many steps. agreed: what a person was told would be lost.

    Raises Conflict: a client of Bedside's is there, a step cannot go back, or more would be lost than was said.
    """
    async with _alone(dsn, say) as connection:
        if others := await _others(connection):
            who = ", ".join(f"{one['name']} ({one['pid']})" for one in others)
            raise Conflict(f"Bedside still works on this database: {who}.", remedy="Stop it first.")
        many = len(await _on_the_way(connection, to))
        now = await losses(connection, to)
        if now is None:
            raise Conflict(f"This database cannot go back to {to}.")
        if any(count > agreed.get(words, 0) for words, count in now.items()):
            raise Conflict("Meanwhile more would be lost than was said.", remedy="Run the same command again.")
        if many:
            await _run(connection, say, "downgrade", to, many)
        return many


async def _others(connection: Any) -> list[Any]:
    """Bedside's other sessions on this database. One that has just been closed is given a moment to go."""
    for _ in range(20):
        found: list[Any] = await connection.fetch(
            "select application_name as name, pid from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and application_name like 'bedside%'"
        )
        if not found:
            break
        await asyncio.sleep(0.1)
    return found


async def _on_the_way(connection: Any, to: str) -> list[Any]:
    known = revisions()
    at = (await standing(connection)).revision
    if to not in known or at is None or known.index(to) > known.index(at):
        raise Conflict(f"{to} is no revision before this database's ({at}).", remedy="See docs/runbooks/upgrade.md.")
    return steps()[known.index(to) + 1 : known.index(at) + 1][::-1]


async def refuse_unsafe(dsn: str) -> None:
    """Of a database that others run: one that could lose what it acknowledged is not touched.

    Raises Unavailable naming the settings to change.
    """
    database = await Database.connect(dsn, size=1, name="bedside prepare")
    try:
        if unsafe := await database.unsafe_settings():
            raise Unavailable("This PostgreSQL may lose what it has acknowledged.", remedy="; ".join(unsafe) + ".")
    finally:
        await database.close()


@asynccontextmanager
async def _connected(dsn: str) -> AsyncIterator[Any]:
    name = f"bedside migrate ({socket.gethostname()}, process {os.getpid()})"[:63]
    try:
        connection = await asyncpg.connect(dsn, server_settings={"application_name": name, "timezone": "UTC"})
    except UNREACHABLE as error:
        raise unreachable(error) from error
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def _alone(dsn: str, say: Say) -> AsyncIterator[Any]:
    """The one connection that may migrate: the lock ends with it, and the steps run on it, so neither outlives the
    other. Whoever finds another there says whom, and waits."""
    async with _connected(dsn) as connection:
        told = ""
        while not await connection.fetchval("select pg_try_advisory_lock($1)", LOCK):
            who = await connection.fetchval(
                """select format('%s, since %s UTC', a.application_name,
                    to_char(a.backend_start at time zone 'UTC', 'HH24:MI:SS'))
                from pg_locks l join pg_stat_activity a using (pid) where l.locktype = 'advisory' and l.granted
                and l.objsubid = 1 and (l.classid::bigint << 32) + l.objid::bigint = $1
                and l.database = (select oid from pg_database where datname = current_database())""",
                LOCK,
            )
            if who and who != told:
                say(f"Another is at this database's steps: waiting for {who}.")
                told = who
            await asyncio.sleep(0.1)
        await connection.execute(f"set lock_timeout = '{PATIENCE}'")
        yield connection


async def _run(held: Any, say: Say, way: str, to: str, many: int) -> None:
    """Steps on this connection, each in a transaction of its own, tried again where clients are in the way."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy.exc import DBAPIError
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import StaticPool

    config = Config()
    config.set_main_option("script_location", str(directory()).replace("%", "%%"))
    titles = {step.revision: step.title for step in steps()}
    done = 0

    def applied(*, step: Any, **_: Any) -> None:
        nonlocal done
        done += 1
        say(f"  {done} of {many}: {step.up_revision_id} {titles.get(step.up_revision_id, '')}")

    def run(connection: Any) -> None:
        config.attributes.update(connection=connection, applied=applied, version=f"{MADE_BY}{bedside.__version__}")
        getattr(command, way)(config, to)

    async def mine() -> Any:
        return held

    engine = create_async_engine("postgresql+asyncpg://", async_creator=mine, poolclass=StaticPool)
    for left in reversed(range(TRIES)):
        try:
            async with engine.connect() as connection:
                await connection.run_sync(run)
            return
        except (*IN_THE_WAY, DBAPIError) as error:
            cause = error.orig.__cause__ if isinstance(error, DBAPIError) and error.orig else error
            if not isinstance(cause, IN_THE_WAY):
                raise
            if not left:
                raise Unavailable(
                    "Clients hold a table that a step needs: it was not taken.",
                    remedy="Stop Bedside and what else reads the database, and run the same command again.",
                ) from error
            if left == TRIES - 1:
                say("  a client holds a table that the next step needs: trying again until it is free")
            await asyncio.sleep(AGAIN)
