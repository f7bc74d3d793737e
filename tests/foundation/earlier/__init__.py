"""A database as an earlier Bedside left it, and how two databases are compared."""

from __future__ import annotations

import re
import subprocess
from itertools import takewhile
from pathlib import Path
from typing import Any

import asyncpg

from bedside.foundation.engines.postgres import binaries
from bedside.foundation.migrate import migrate
from bedside.foundation.steps import revisions, steps

REVISION = "0026"
ROWS = Path(__file__).with_name(f"{REVISION}.sql")
"""By tools/earlier.py, of the last program whose newest revision it was."""
NEAR = next(
    (each.before for each in reversed(list(takewhile(lambda step: step.loses is not None, steps()[::-1])))),
    revisions()[-1],
)
"""The oldest revision to which today's can go back."""
Digest = dict[str, tuple[int, str]]


async def play(dsn: str) -> None:
    """Into an empty database: the steps up to then, then the rows that the program of then wrote."""
    await migrate(dsn, to=REVISION)
    rows = ROWS.read_text()
    connection = await asyncpg.connect(dsn)
    try:
        # As pg_restore does: in any order, and past the triggers that keep the audit.
        await connection.execute("set session_replication_role = replica")
        for table in sorted(set(re.findall(r"^INSERT INTO (\S+)", rows, re.MULTILINE))):
            await connection.execute(f"delete from {table}")  # noqa: S608 - what the steps themselves had put there
        await connection.execute(rows)
        # Programs of then did not say who they were.
        await connection.execute("comment on table foundation.alembic_version is null")
    finally:
        await connection.close()


async def columns(connection: Any) -> dict[str, str]:
    """Of each table, the columns that it has now."""
    found = await connection.fetch(
        """select n.nspname || '.' || c.relname as name,
            string_agg(quote_ident(a.attname), ', ' order by a.attnum) as columns
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
        where c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and n.nspname !~ '^pg_'
            and n.nspname not in ('information_schema', 'foundation') group by 1"""
    )
    return {row["name"]: row["columns"] for row in found}


async def digest(connection: Any, of: dict[str, str]) -> Digest:
    """Of each table's named columns: how many rows, and a hash over all of them."""
    found: Digest = {}
    for table, names in of.items():
        row = await connection.fetchrow(
            f"""select count(*) as many, coalesce(md5(string_agg(t, E'\\n' order by t)), '') as hash
            from (select row({names})::text as t from {table}) each"""  # noqa: S608
        )
        found[table] = (row["many"], row["hash"])
    return found


def schema(dsn: str) -> str:
    """What pg_dump makes of it, without what is random in that, and without which Bedside took the last step."""
    dump = [str(binaries() / "pg_dump"), "--schema-only", "--no-comments", "-d", dsn]
    text = subprocess.run(dump, check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in text.splitlines() if not line.startswith("\\"))
