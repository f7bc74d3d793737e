"""SQL of the links by which calendars subscribe."""

from __future__ import annotations

from datetime import datetime

from bedside.foundation.context import Ctx


async def put(ctx: Ctx, person: str, token: bytes, at: datetime) -> None:
    """This person's one link; the one before is good no more."""
    await ctx.sql.execute(
        """insert into visits.calendar (tenant, person, token, made_at) values ($1, $2, $3, $4)
           on conflict (tenant, person) do update set token = excluded.token, made_at = excluded.made_at,
               read_at = null""",
        *(ctx.tenant, person, token, at),
    )


async def drop(ctx: Ctx, person: str) -> None:
    """It is good no more."""
    await ctx.sql.execute("delete from visits.calendar where tenant = $1 and person = $2", *(ctx.tenant, person))


async def of(ctx: Ctx, person: str) -> tuple[datetime, datetime | None] | None:
    """When it was made, and when a calendar last read it; None where there is none."""
    row = await ctx.sql.fetchrow(
        "select made_at, read_at from visits.calendar where tenant = $1 and person = $2", *(ctx.tenant, person)
    )
    return (row["made_at"], row["read_at"]) if row else None


async def whose(ctx: Ctx, token: bytes, at: datetime) -> str | None:
    """Whose link this is, read at this moment."""
    found: str | None = await ctx.sql.fetchval(
        "update visits.calendar set read_at = $3 where tenant = $1 and token = $2 returning person",
        *(ctx.tenant, token, at),
    )
    return found
