"""SQL of access.licence."""

from __future__ import annotations

from bedside.access.model.licence import Licence
from bedside.foundation.context import Ctx


async def put(ctx: Ctx, licence: Licence) -> None:
    """Add or change a licence."""
    await ctx.sql.execute(
        """insert into access.licence (tenant, person, jurisdiction, number, kind, status, since, until, verified_at,
               verified_source)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           on conflict (tenant, person, jurisdiction, number) do update set kind = $5, status = $6, since = $7,
               until = $8, verified_at = $9, verified_source = $10""",
        ctx.tenant,
        licence.person,
        licence.jurisdiction,
        licence.number,
        licence.kind,
        licence.status,
        licence.since,
        licence.until,
        licence.verified_at,
        licence.verified_source,
    )


async def of(ctx: Ctx, person: str) -> list[Licence]:
    """Every licence of a person."""
    rows = await ctx.sql.fetch(
        """select person, jurisdiction, number, kind, since, until, verified_at, verified_source, status
           from access.licence where tenant = $1 and person = $2 order by jurisdiction, until desc""",
        ctx.tenant,
        person,
    )
    return [Licence(**dict(row)) for row in rows]
