"""How many rows each table has: told with a base, and again when it was restored."""

from __future__ import annotations

from subprocess import TimeoutExpired

import asyncpg

from bedside.foundation.engines import Postgres
from bedside.foundation.errors import Unavailable

# One statement for all, so that they are of one moment.
_COUNT = """select string_agg(
 format('select %L, count(*) from %I.%I', n.nspname || '.' || c.relname, n.nspname, c.relname),
 ' union all ' order by n.nspname, c.relname) from pg_class c join pg_namespace n on n.oid = c.relnamespace
 where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'"""


def rows(postgres: Postgres) -> dict[str, int]:
    """By `schema.table`; empty where they cannot be counted within half a minute."""
    try:
        sql = postgres.ask(_COUNT)
        told = postgres.ask(f"set statement_timeout = '30s'; {sql}") if sql else ""
    except (Unavailable, TimeoutExpired):
        return {}
    return {name: int(many) for name, _, many in (row.partition("|") for row in told.splitlines())}


async def rows_at(dsn: str) -> dict[str, int]:
    """The same of a database at an address, however long it takes."""
    sql = await asyncpg.connect(dsn)
    try:
        count = await sql.fetchval(_COUNT)
        return dict(await sql.fetch(count)) if count else {}
    finally:
        await sql.close()
