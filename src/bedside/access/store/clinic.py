"""SQL of the clinic's facts and its first steps."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bedside.access.model.clinic import FIELDS, Clinic
from bedside.foundation.context import Ctx
from bedside.foundation.database import Connection

_COLUMNS = ", ".join((*FIELDS, "n", "by_name", "at", "self_registration"))


async def there(sql: Connection) -> bool:
    """Whether this database is as far as having the table."""
    return bool(await sql.fetchval("select to_regclass('access.clinic') is not null"))


async def newest(sql: Connection, tenant: int) -> Clinic | None:
    """What holds."""
    row = await sql.fetchrow(f"select {_COLUMNS} from access.clinic where tenant = $1 order by n desc limit 1", tenant)  # noqa: S608
    return Clinic(**dict(row)) if row else None


async def insert(ctx: Ctx, clinic: Clinic) -> bool:
    """Keep what was said; False where somebody else said it at the same moment."""
    given = msgspec.structs.asdict(clinic)
    row = await ctx.sql.fetchrow(
        f"""insert into access.clinic (tenant, {_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
        on conflict do nothing returning n""",  # noqa: S608
        ctx.tenant,
        *(given[name] for name in _COLUMNS.split(", ")),
    )
    return row is not None


async def put_away(ctx: Ctx, person: str, at: datetime) -> None:
    """The list of first steps is seen no more."""
    await ctx.sql.execute(
        "insert into access.start_put_away (tenant, person, at) values ($1, $2, $3) on conflict do nothing",
        ctx.tenant,
        person,
        at,
    )


async def is_put_away(ctx: Ctx) -> bool:
    """Whether it is."""
    asked = "select exists (select from access.start_put_away where tenant = $1)"
    return bool(await ctx.sql.fetchval(asked, ctx.tenant))
