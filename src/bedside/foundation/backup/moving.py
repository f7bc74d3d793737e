"""A database that came back, into an empty one that others run: no base backup goes through an address, a dump does.

All or nothing: the dump is taken in by one transaction. PostgreSQL 17 or newer: a dump names settings that it brought.
"""

from __future__ import annotations

import subprocess
import tempfile
from urllib.parse import unquote, urlsplit, urlunsplit

import asyncpg

from bedside.foundation.database import UNREACHABLE, unreachable
from bedside.foundation.engines import Postgres
from bedside.foundation.engines.postgres import binaries
from bedside.foundation.errors import Conflict, Unavailable, Unprocessable
from bedside.foundation.migrate import refuse_unsafe

OLDEST = 17
_HOLDS = """select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind in ('r', 'p', 'v', 'm', 'S', 'f') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
 limit 1"""


async def refuse_full(goal: str) -> None:
    """Raises Conflict: it holds something; Unprocessable: too old; Unavailable: out of reach, or it would lose what it
    acknowledged."""
    await refuse_unsafe(goal)
    try:
        sql = await asyncpg.connect(goal)
    except UNREACHABLE as error:
        raise unreachable(error) from error
    try:
        major = sql.get_server_version().major
        holds = await sql.fetchval(_HOLDS)
    finally:
        await sql.close()
    if major < OLDEST:
        raise Unprocessable(f"That is PostgreSQL {major}.", remedy=f"Name one of version {OLDEST} or newer.")
    if holds is not None:
        raise Conflict(
            f"That database is not empty: it holds {holds}.", remedy="Name a new one: a restore overwrites nothing."
        )


def move(postgres: Postgres, goal: str) -> None:
    """Everything in the running cluster's database into the empty one at that URL.

    Raises Unavailable with the tool's words; then nothing of it is there.
    """
    url, password = _apart(goal)
    source = postgres.tool("pg_dump")
    into = [str(binaries() / "pg_restore"), "--no-owner", "--no-privileges", "--single-transaction", "-d", url]
    env = {**source.env, "PGPASSWORD": password}
    with tempfile.TemporaryFile() as said:
        with subprocess.Popen(
            [*source.command, "--format=custom", "--no-owner", "--no-privileges", "bedside"],
            env=source.env,
            pass_fds=source.keep,
            stdout=subprocess.PIPE,
            stderr=said,
        ) as dump:
            taken = subprocess.run(into, stdin=dump.stdout, stdout=said, stderr=said, env=env, check=False)
        said.seek(0)
        words = said.read().decode(errors="replace").strip().splitlines()
    if dump.returncode or taken.returncode:
        raise Unavailable("The database could not be brought there.", remedy=words[0] if words else None)


async def settle(goal: str) -> None:
    """Let the new server know how its tables are filled, so that the first questions are not slow."""
    sql = await asyncpg.connect(goal)
    try:
        await sql.execute("analyze")
    finally:
        await sql.close()


def _apart(goal: str) -> tuple[str, str]:
    """The URL without its password, and the password: a command's words are read by everybody on a machine."""
    parts = urlsplit(goal)
    user, _, host = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    return urlunsplit(parts._replace(netloc=f"{name}@{host}" if name else host)), unquote(password)
