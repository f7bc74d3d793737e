"""SQL of the secret links by which patients come in."""

from __future__ import annotations

from datetime import datetime

from bedside.foundation.context import Ctx
from bedside.visits.model import Link


async def add(ctx: Ctx, visit: str, token: bytes, made_at: datetime, expires_at: datetime) -> None:
    """A new link; the visit's earlier links that no device holds die."""
    await ctx.sql.execute(
        """update visits.link set dead_at = $3
           where tenant = $1 and visit = $2 and device is null and dead_at is null""",
        ctx.tenant,
        visit,
        made_at,
    )
    await ctx.sql.execute(
        "insert into visits.link (tenant, visit, token, made_at, expires_at) values ($1, $2, $3, $4, $5)",
        ctx.tenant,
        visit,
        token,
        made_at,
        expires_at,
    )


async def get(ctx: Ctx, *, token: bytes | None = None, device: bytes | None = None, lock: bool = False) -> Link | None:
    """The link with this secret, or the one that this device holds."""
    row = await ctx.sql.fetchrow(
        f"""select visit, device is not null as bound, expires_at, wrong, dead_at from visits.link
            where tenant = $1 and (token = $2 or device = $3) {"for update" if lock else ""}""",  # noqa: S608
        ctx.tenant,
        token,
        device,
    )
    return Link(**dict(row)) if row else None


async def bind(ctx: Ctx, token: bytes, device: bytes) -> None:
    """Consume the link: from now on it is this device's."""
    await ctx.sql.execute(
        "update visits.link set device = $3 where tenant = $1 and token = $2", ctx.tenant, token, device
    )


async def wrong_answer(ctx: Ctx, token: bytes, dead_at: datetime | None) -> None:
    """One more wrong answer; dead_at kills it."""
    await ctx.sql.execute(
        "update visits.link set wrong = wrong + 1, dead_at = coalesce($3, dead_at) where tenant = $1 and token = $2",
        ctx.tenant,
        token,
        dead_at,
    )


async def kill(ctx: Ctx, visit: str, at: datetime) -> None:
    """Every link of a visit that ended."""
    await ctx.sql.execute(
        "update visits.link set dead_at = coalesce(dead_at, $3) where tenant = $1 and visit = $2",
        ctx.tenant,
        visit,
        at,
    )
