"""SQL of access.licence."""

from __future__ import annotations

from datetime import date, datetime

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


async def ending(ctx: Ctx, by: date, *, person: str | None = None) -> list[tuple[str, Licence]]:
    """Those of active people that end by a day, unless another of the same place lasts longer; with whose they are.
    person: this one's alone."""
    rows = await ctx.sql.fetch(
        """select p.name as whose, l.person, l.jurisdiction, l.number, l.kind, l.since, l.until, l.verified_at,
           l.verified_source, l.status from access.licence l join access.person p on p.id = l.person and p.active
           where l.tenant = $1 and l.status = 'active' and l.until <= $2 and ($3::text is null or l.person = $3)
           and not exists (
               select from access.licence o where o.tenant = l.tenant and o.person = l.person
               and o.jurisdiction = l.jurisdiction and o.status = 'active' and o.until > l.until)
           order by l.until, p.name""",
        ctx.tenant,
        by,
        person,
    )
    return [(row["whose"], Licence(**{k: v for k, v in dict(row).items() if k != "whose"})) for row in rows]


async def remind(ctx: Ctx, licence: Licence, at: datetime) -> bool:
    """Note that this end was told; False when it was before."""
    row = await ctx.sql.fetchrow(
        """insert into access.licence_reminder (tenant, person, jurisdiction, number, until, at)
           values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning person""",
        ctx.tenant,
        licence.person,
        licence.jurisdiction,
        licence.number,
        licence.until,
        at,
    )
    return row is not None
