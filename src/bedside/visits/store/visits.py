"""SQL of visits and of what happened in them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bedside.foundation.context import Ctx
from bedside.visits.model import Place, Visit, VisitEvent


def visit_of(row: Any) -> Visit:
    """A row as it is kept."""
    place = (
        Place(row["country"], row["subdivision"] or "", row["address"] or "", row["callback"] or "")
        if row["country"]
        else None
    )
    fields = [f for f in Visit.__struct_fields__ if f != "place"]
    return Visit(**{f: row[f] for f in fields}, place=place)


async def insert(ctx: Ctx, visit: Visit) -> bool:
    """A new visit; False where one with this id is there already."""
    status: str = await ctx.sql.execute(
        """insert into visits.visit (tenant, id, status, patient, person, reason, alarm, asked_by, asked_by_name,
               clinician, clinician_name, asked_at, planned_at, planned_minutes, planned_changed)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict do nothing""",
        ctx.tenant,
        visit.id,
        visit.status,
        visit.patient,
        visit.person,
        visit.reason,
        visit.alarm,
        visit.asked_by,
        visit.asked_by_name,
        visit.clinician,
        visit.clinician_name,
        visit.asked_at,
        visit.planned_at,
        visit.planned_minutes,
        visit.planned_changed,
    )
    return status.endswith("1")


async def get(ctx: Ctx, key: str, *, lock: bool = False) -> Visit | None:
    """One visit; lock holds it until the transaction ends."""
    row = await ctx.sql.fetchrow(
        f"select * from visits.visit where tenant = $1 and id = $2 {'for update' if lock else ''}",  # noqa: S608
        ctx.tenant,
        key,
    )
    return visit_of(row) if row else None


async def of_patient(ctx: Ctx, patient: str, *, open_only: bool) -> list[Visit]:
    """Newest first."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and patient = $2
           and (not $3 or status not in ('finished', 'cancelled')) order by asked_at desc, id desc limit 100""",
        ctx.tenant,
        patient,
        open_only,
    )
    return [visit_of(row) for row in rows]


async def open_visits(ctx: Ctx, now: datetime, until: datetime) -> list[Visit]:
    """All that are not over, and are planned for no time or one before then: those nearest to now first."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and status not in ('finished', 'cancelled')
           and (planned_at is null or planned_at < $3)
           order by abs(extract(epoch from coalesce(planned_at, asked_at) - $2)), id""",
        *(ctx.tenant, now, until),
    )
    return [visit_of(row) for row in rows]


async def of_clinician(ctx: Ctx, clinician: str, since: datetime) -> list[Visit]:
    """Open ones, those asked for, ended or taken back since then, and those whose change she has not noted: newest
    first."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and clinician = $2
           and (status not in ('finished', 'cancelled') or greatest(asked_at, ended_at, planned_changed) >= $3
                or (change is not null and change_noted is null)) order by asked_at desc, id desc""",
        ctx.tenant,
        clinician,
        since,
    )
    return [visit_of(row) for row in rows]


async def update(ctx: Ctx, visit: Visit) -> None:
    """Write every field that moves."""
    place = visit.place
    await ctx.sql.execute(
        """update visits.visit set status = $3, clinician = $4, clinician_name = $5, started_at = $6, ended_at = $7,
               country = $8, subdivision = $9, address = $10, callback = $11, agreed_at = $12, decision = $13,
               reason = $14, planned_at = $15, planned_minutes = $16, planned_changes = $17, planned_changed = $18,
               change = $19, change_by = $20, change_at = $21, change_from = $22, change_noted = $23
           where tenant = $1 and id = $2""",
        ctx.tenant,
        visit.id,
        visit.status,
        visit.clinician,
        visit.clinician_name,
        visit.started_at,
        visit.ended_at,
        place.country if place else None,
        place.subdivision if place else None,
        place.address if place else None,
        place.callback if place else None,
        visit.agreed_at,
        visit.decision,
        visit.reason,
        visit.planned_at,
        visit.planned_minutes,
        visit.planned_changes,
        visit.planned_changed,
        *(visit.change, visit.change_by, visit.change_at, visit.change_from, visit.change_noted),
    )


async def add_event(ctx: Ctx, visit: str, event: VisitEvent) -> None:
    """One more line; the visit's row is locked by the caller, so numbers do not race."""
    await ctx.sql.execute(
        """insert into visits.event (tenant, visit, number, at, who, event, detail)
           select $1, $2, coalesce(max(number), 0) + 1, $3, $4, $5, $6
           from visits.event where tenant = $1 and visit = $2""",
        ctx.tenant,
        visit,
        event.at,
        event.who,
        event.event,
        event.detail,
    )


async def events(ctx: Ctx, visit: str) -> list[VisitEvent]:
    """What happened, in order."""
    rows = await ctx.sql.fetch(
        "select at, who, event, detail from visits.event where tenant = $1 and visit = $2 order by number",
        ctx.tenant,
        visit,
    )
    return [VisitEvent(**dict(row)) for row in rows]


async def in_hand(ctx: Ctx, clinician: str, *, lock: bool) -> list[tuple[Visit, bool]]:
    """Open visits of a clinician and those whose note is not signed, with whether there is an unsigned draft."""
    rows = await ctx.sql.fetch(
        f"""select v.*, n.visit is not null as drafted from visits.visit v
           left join visits.note n on n.tenant = v.tenant and n.visit = v.id and n.signed_at is null
           where v.tenant = $1 and v.clinician = $2 and (v.status not in ('finished', 'cancelled')
               or (v.started_at is not null and not exists (select from visits.note s
                   where s.tenant = v.tenant and s.visit = v.id and s.signed_at is not null)))
           order by v.asked_at, v.id {"for update of v" if lock else ""}""",  # noqa: S608
        ctx.tenant,
        clinician,
    )
    return [(visit_of(row), row["drafted"]) for row in rows]


async def any_begun(ctx: Ctx) -> bool:
    """Whether any visit ever began."""
    asked = "select exists (select from visits.visit where tenant = $1 and started_at is not null)"
    return bool(await ctx.sql.fetchval(asked, ctx.tenant))
