"""SQL of who was in a visit, and when."""

from __future__ import annotations

from datetime import datetime

from bedside.foundation.context import Ctx
from bedside.visits.model import Presence


async def arrive(ctx: Ctx, visit: str, connection: str, stay: Presence) -> None:
    """A connection began."""
    await ctx.sql.execute(
        """insert into visits.presence (tenant, visit, connection, who, name, role, joined_at)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing""",
        ctx.tenant,
        visit,
        connection,
        stay.who,
        stay.name,
        stay.role,
        stay.joined_at,
    )


async def leave(ctx: Ctx, visit: str, connection: str | None, at: datetime) -> None:
    """A connection ended, or (None) all of them."""
    await ctx.sql.execute(
        """update visits.presence set left_at = $4 where tenant = $1 and visit = $2
           and ($3::text is null or connection = $3) and left_at is null""",
        ctx.tenant,
        visit,
        connection,
        at,
    )


async def leave_everywhere(ctx: Ctx, who: str, at: datetime) -> list[str]:
    """Somebody is in no visit any more; where they were."""
    rows = await ctx.sql.fetch(
        "update visits.presence set left_at = $3 where tenant = $1 and who = $2 and left_at is null returning visit",
        ctx.tenant,
        who,
        at,
    )
    return list(dict.fromkeys(row["visit"] for row in rows))


async def of_visit(ctx: Ctx, visit: str) -> list[Presence]:
    """Every stay, in order."""
    rows = await ctx.sql.fetch(
        """select who, name, role, joined_at, left_at from visits.presence
           where tenant = $1 and visit = $2 order by joined_at""",
        ctx.tenant,
        visit,
    )
    return [Presence(**dict(row)) for row in rows]


async def quiet_since(ctx: Ctx, visit: str) -> datetime | None:
    """When the last one left; None while somebody is there, or when nobody ever was."""
    return await ctx.sql.fetchval(  # type: ignore[no-any-return]
        """select case when bool_or(left_at is null) then null else max(left_at) end
           from visits.presence where tenant = $1 and visit = $2""",
        ctx.tenant,
        visit,
    )
