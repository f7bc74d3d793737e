"""SQL of what was written in a visit."""

from __future__ import annotations

from bedside.foundation.context import Ctx
from bedside.visits.model import Message


async def add(ctx: Ctx, visit: str, message: Message) -> None:
    """One line of chat, once."""
    await ctx.sql.execute(
        """insert into visits.chat (tenant, visit, id, at, who, name, text) values ($1, $2, $3, $4, $5, $6, $7)
           on conflict do nothing""",
        ctx.tenant,
        visit,
        message.id,
        message.at,
        message.who,
        message.name,
        message.text,
    )


async def of_visit(ctx: Ctx, visit: str) -> list[Message]:
    """The chat, in order."""
    rows = await ctx.sql.fetch(
        "select id, at, who, name, text from visits.chat where tenant = $1 and visit = $2 order by at, id",
        ctx.tenant,
        visit,
    )
    return [Message(**dict(row)) for row in rows]
