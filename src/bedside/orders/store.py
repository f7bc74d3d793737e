"""SQL of schema orders."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from bedside.foundation.context import Ctx
from bedside.orders.model import Arrived, Waiting

_WAITING = "ref, patient, version, critical, arrived_at, seen_at, seen_by, seen_by_name, note"


async def keep(ctx: Ctx, one: Arrived, at: datetime) -> None:
    """It waits from now on. What says the same as was kept, or was seen already, changes nothing; what says something
    else is to be seen anew, and with it the report that holds it."""
    report = await ctx.sql.fetchval(
        """insert into orders.result as r (tenant, ref, patient, version, critical, digest, arrived_at)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (tenant, ref) do update set patient = $3, version = $4, critical = $5, digest = $6,
               arrived_at = case when r.version = 0 then r.arrived_at else $7 end,
               seen_at = null, seen_by = null, seen_by_name = null, note = ''
               where r.digest <> $6 and r.version < $4 and coalesce(r.seen_version, 0) < $4
           returning report""",
        *(ctx.tenant, one.ref, one.patient, one.version, one.critical, one.digest, at),
    )
    if report:
        await ctx.sql.execute(
            """update orders.result set seen_at = null, seen_by = null, seen_by_name = null, note = '', arrived_at = $3
               where tenant = $1 and ref = $2 and seen_at is not null""",
            *(ctx.tenant, report, at),
        )


async def forget(ctx: Ctx, ref: str) -> bool:
    """What is void and was seen by nobody waits no longer. False: somebody has seen it, and must learn of it."""
    return (
        await ctx.sql.fetchval(
            """delete from orders.result where tenant = $1 and ref = $2 and seen_at is null returning ref""",
            *(ctx.tenant, ref),
        )
        is not None
    )


async def known(ctx: Ctx, ref: str) -> bool:
    """Whether it ever waited."""
    return bool(
        await ctx.sql.fetchval(
            "select exists (select from orders.result where tenant = $1 and ref = $2)", *(ctx.tenant, ref)
        )
    )


async def hold(ctx: Ctx, one: Arrived, parts: Sequence[str], at: datetime) -> None:
    """These results are seen with their report, whichever of them came first."""
    await ctx.sql.execute(
        """insert into orders.result (tenant, ref, patient, version, critical, digest, arrived_at, report)
           select $1, part, $2, 0, false, ''::bytea, $3, $4 from unnest($5::text[]) as part
           on conflict (tenant, ref) do update set report = excluded.report""",
        *(ctx.tenant, one.patient, at, one.ref, list(parts)),
    )


async def waiting(
    ctx: Ctx, patients: Collection[str] | None, limit: int, after: tuple[bool, datetime, str] | None
) -> tuple[list[Waiting], int]:
    """Critical ones first, then the oldest; and how many there are in all. patients: None for everybody's. after:
    whether the last one that was told is critical, when it came, its ref."""
    critical, arrived_at, ref = after or (None, None, None)
    rows = await ctx.sql.fetch(
        """with waits as (
               select w.ref, w.patient, w.version, w.critical or exists (select from orders.result p
                   where p.tenant = w.tenant and p.report = w.ref and p.critical) as critical, w.arrived_at, w.seen_at,
                   w.seen_by, w.seen_by_name, w.note
               from orders.result w
               where w.tenant = $1 and w.seen_at is null and w.report is null
                 and ($2::text[] is null or w.patient = any($2)))
           select *, (select count(*) from waits) as all_of_them from waits
           where $4::boolean is null or (not critical, arrived_at, ref) > (not $4, $5::timestamptz, $6::text)
           order by critical desc, arrived_at, ref limit $3""",
        *(ctx.tenant, None if patients is None else list(patients), limit, critical, arrived_at, ref),
    )
    found = [Waiting(**{name: row[name] for name in Waiting.__struct_fields__}) for row in rows]
    return found, rows[0]["all_of_them"] if rows else 0


async def get(ctx: Ctx, ref: str, *, lock: bool = False) -> Waiting | None:
    """One; lock holds it until the transaction ends. A part of a report answers with the report."""
    row = await ctx.sql.fetchrow(
        f"""select {_WAITING} from orders.result where tenant = $1 and ref = coalesce(
                (select report from orders.result where tenant = $1 and ref = $2), $2)
            {"for update" if lock else ""}""",  # noqa: S608
        *(ctx.tenant, ref),
    )
    return Waiting(**dict(row)) if row else None


async def see(ctx: Ctx, ref: str, version: int, at: datetime, note: str) -> None:
    """Seen by the actor, with all that it holds."""
    await ctx.sql.execute(
        """update orders.result set seen_at = $3, seen_by = $4, seen_by_name = $5, note = $6,
               seen_version = case when ref = $2 then $7 else version end
           where tenant = $1 and (ref = $2 or report = $2)""",
        *(ctx.tenant, ref, at, ctx.actor.id, ctx.actor.name, note, version),
    )


async def unsee(ctx: Ctx, ref: str) -> None:
    """It waits again."""
    await ctx.sql.execute(
        """update orders.result set seen_at = null, seen_by = null, seen_by_name = null, note = '', seen_version = null
           where tenant = $1 and (ref = $2 or report = $2)""",
        *(ctx.tenant, ref),
    )
