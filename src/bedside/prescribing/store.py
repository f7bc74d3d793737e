"""SQL of schema prescribing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from bedside.foundation.context import Ctx
from bedside.prescribing.model import Check, Draft, Event, Pharmacy, Prescription, Refill, Status

_SELECT = """
    select p.*, coalesce((
        select jsonb_agg(jsonb_build_object('step', s.step, 'at', s.at, 'who', s.who, 'reason', s.reason)
                         order by s.number)
        from prescribing.step s where s.tenant = p.tenant and s.prescription = p.id), '[]'::jsonb) as events
    from prescribing.prescription p
"""


async def _hers(ctx: Ctx, prescriber: str) -> list[str]:
    """A prescriber, and those whose successor they are: asked first, so that what is theirs is found by an index."""
    rows = await ctx.sql.fetch(
        "select prescriber from prescribing.successor where tenant = $1 and successor = $2", *(ctx.tenant, prescriber)
    )
    return [prescriber, *(row["prescriber"] for row in rows)]


def _read(row: Any) -> Prescription:
    return Prescription(
        id=row["id"],
        status=row["status"],
        draft=msgspec.convert(row["draft"], Draft),
        name=row["name"],
        prescriber=row["prescriber"],
        prescriber_name=row["prescriber_name"],
        checks=tuple(msgspec.convert(row["checks"], list[Check])),
        written_at=row["written_at"],
        signed_at=row["signed_at"],
        events=tuple(msgspec.convert(row["events"], list[Event])),
    )


async def insert(ctx: Ctx, prescription: Prescription) -> None:
    """A new draft, or the same draft's newer content; nothing where it is already signed."""
    await ctx.sql.execute(
        """insert into prescribing.prescription
               (tenant, id, status, patient, pharmacy, prescriber, prescriber_name, name, draft, checks, written_at)
           values ($1, $2, 'draft', $3, $4, $5, $6, $7, $8, $9, $10)
           on conflict (tenant, id) do update
               set draft = excluded.draft, checks = excluded.checks, name = excluded.name, pharmacy = excluded.pharmacy
               where prescription.status = 'draft' and prescription.prescriber = excluded.prescriber
                 and prescription.patient = excluded.patient""",
        ctx.tenant,
        prescription.id,
        prescription.draft.patient,
        prescription.draft.pharmacy,
        prescription.prescriber,
        prescription.prescriber_name,
        prescription.name,
        msgspec.to_builtins(prescription.draft),
        msgspec.to_builtins(prescription.checks),
        prescription.written_at,
    )


async def get(ctx: Ctx, key: str, *, lock: bool = False) -> Prescription | None:
    """One prescription; lock holds it until the transaction ends."""
    row = await ctx.sql.fetchrow(
        f"{_SELECT} where p.tenant = $1 and p.id = $2 {'for update of p' if lock else ''}",
        ctx.tenant,
        key,
    )
    return _read(row) if row else None


async def of_patient(ctx: Ctx, patient: str) -> list[Prescription]:
    """All of them, newest first: an old one may still be taken."""
    rows = await ctx.sql.fetch(
        f"{_SELECT} where p.tenant = $1 and p.patient = $2 order by p.written_at desc, p.id desc",
        ctx.tenant,
        patient,
    )
    return [_read(row) for row in rows]


async def at_pharmacy(ctx: Ctx, pharmacies: Sequence[str], *, waiting: bool = False) -> list[Prescription]:
    """What was sent to these pharmacies: what waits first, then what is done, newest first.

    waiting: the former alone.
    """
    rows = await ctx.sql.fetch(
        f"""{_SELECT} where p.tenant = $1 and p.pharmacy = any($2) and p.signed_at is not null
            {"and p.status in ('signed', 'accepted')" if waiting else ""}
            order by (p.status in ('signed', 'accepted')) desc, p.signed_at desc, p.id desc
            {"" if waiting else "limit 200"}""",
        ctx.tenant,
        list(pharmacies),
    )
    return [_read(row) for row in rows]


async def drafts_of(ctx: Ctx, prescriber: str) -> list[Prescription]:
    """What this prescriber has not signed, the oldest first."""
    rows = await ctx.sql.fetch(
        f"{_SELECT} where p.tenant = $1 and p.prescriber = $2 and p.status = 'draft' order by p.written_at, p.id",
        ctx.tenant,
        prescriber,
    )
    return [_read(row) for row in rows]


async def pass_drafts(ctx: Ctx, prescriber: str, to: str, name: str) -> None:
    """What this prescriber has not signed is another's to sign."""
    await ctx.sql.execute(
        """update prescribing.prescription set prescriber = $3, prescriber_name = $4
           where tenant = $1 and prescriber = $2 and status = 'draft'""",
        *(ctx.tenant, prescriber, to, name),
    )


async def running_out(
    ctx: Ctx, prescriber: str, since: datetime, until: datetime
) -> list[tuple[Prescription, datetime]]:
    """What was dispensed of this prescriber, or of one whose successor they are, and lasts until a moment between the
    two; not what was signed again of the same medicine since, nor what the patient asks more of. A prescription lasts
    at most a year."""
    rows = await ctx.sql.fetch(
        f"""select e.ends, q.* from ({_SELECT} where p.tenant = $1 and p.prescriber = any($2) and p.status = 'dispensed'
                and p.signed_at >= $3::timestamptz - interval '400 days') q
            cross join lateral (select max(s.at) + make_interval(days => (q.draft->>'days')::int) as ends
                from prescribing.step s
                where s.tenant = q.tenant and s.prescription = q.id and s.step = 'dispense') e
            where e.ends between $3 and $4
              and not exists (select from prescribing.prescription o where o.tenant = q.tenant
                  and o.patient = q.patient and o.draft->>'medicine' = q.draft->>'medicine'
                  and o.signed_at > q.signed_at and o.status in ('signed', 'accepted', 'dispensed'))
              and not exists (select from prescribing.refill r
                  where r.tenant = q.tenant and r.prescription = q.id and r.state = 'asked')
            order by e.ends, q.id""",  # noqa: S608
        *(ctx.tenant, await _hers(ctx, prescriber), since, until),
    )
    return [(_read(row), row["ends"]) for row in rows]


async def refused_of(ctx: Ctx, prescriber: str, since: datetime) -> list[Prescription]:
    """What a pharmacy has refused since then of this prescriber, or of one whose successor they are, newest first."""
    rows = await ctx.sql.fetch(
        f"""{_SELECT} where p.tenant = $1 and p.prescriber = any($2) and p.status = 'refused' and exists (
                select from prescribing.step s
                where s.tenant = p.tenant and s.prescription = p.id and s.step = 'refuse' and s.at >= $3)
            order by p.signed_at desc, p.id""",
        ctx.tenant,
        await _hers(ctx, prescriber),
        since,
    )
    return [_read(row) for row in rows]


async def move(ctx: Ctx, key: str, status: Status, *, signed_at: datetime | None = None) -> None:
    """The next status."""
    await ctx.sql.execute(
        """update prescribing.prescription set status = $3, signed_at = coalesce($4, signed_at)
           where tenant = $1 and id = $2""",
        ctx.tenant,
        key,
        status,
        signed_at,
    )


async def add_step(ctx: Ctx, key: str, event: Event) -> None:
    """One more line of its history."""
    await ctx.sql.execute(
        """insert into prescribing.step (tenant, prescription, number, step, at, who, reason)
           select $1, $2, count(*) + 1, $3, $4, $5, $6 from prescribing.step where tenant = $1 and prescription = $2""",
        ctx.tenant,
        key,
        event.step,
        event.at,
        event.who,
        event.reason,
    )


async def put_pharmacy(ctx: Ctx, pharmacy: Pharmacy) -> None:
    """Add or change a pharmacy."""
    await ctx.sql.execute(
        """insert into prescribing.pharmacy (tenant, id, name, telephone, address) values ($1, $2, $3, $4, $5)
           on conflict (tenant, id) do update set name = $3, telephone = $4, address = $5""",
        ctx.tenant,
        pharmacy.id,
        pharmacy.name,
        pharmacy.telephone,
        pharmacy.address,
    )


async def pharmacies(ctx: Ctx) -> list[Pharmacy]:
    """Every pharmacy, by name."""
    rows = await ctx.sql.fetch(
        "select id, name, telephone, address from prescribing.pharmacy where tenant = $1 order by name", ctx.tenant
    )
    return [Pharmacy(**dict(row)) for row in rows]


_REFILL = """
    select r.id, r.prescription, r.patient, p.prescriber, p.name, r.state, r.asked_at, r.asked_by_name,
           r.asked_by_reference, r.note, r.answered_at, r.answered_by_name, r.reason, r.renewed_as
    from prescribing.refill r
    join prescribing.prescription p on p.tenant = r.tenant and p.id = r.prescription
"""


async def put_refill(ctx: Ctx, refill: Refill) -> None:
    """A new request, or its answer; an answered one does not change."""
    await ctx.sql.execute(
        """insert into prescribing.refill (tenant, id, prescription, patient, state, asked_at, asked_by_name,
               asked_by_reference, note, answered_at, answered_by_name, reason, renewed_as)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           on conflict (tenant, id) do update set state = excluded.state, answered_at = excluded.answered_at,
               answered_by_name = excluded.answered_by_name, reason = excluded.reason, renewed_as = excluded.renewed_as
               where refill.state = 'asked'""",
        ctx.tenant,
        refill.id,
        refill.prescription,
        refill.patient,
        refill.state,
        refill.asked_at,
        refill.asked_by_name,
        refill.asked_by_reference,
        refill.note,
        refill.answered_at,
        refill.answered_by_name,
        refill.reason,
        refill.renewed_as,
    )


async def refill(ctx: Ctx, key: str, *, lock: bool = False) -> Refill | None:
    """One request; lock holds it until the transaction ends."""
    row = await ctx.sql.fetchrow(
        f"{_REFILL} where r.tenant = $1 and r.id = $2 {'for update of r' if lock else ''}", ctx.tenant, key
    )
    return Refill(**dict(row)) if row else None


async def refills_of(ctx: Ctx, patient: str, prescription: str | None = None) -> list[Refill]:
    """A patient's requests, or those of one prescription, newest first."""
    rows = await ctx.sql.fetch(
        f"""{_REFILL} where r.tenant = $1 and r.patient = $2 and ($3::text is null or r.prescription = $3)
            order by r.asked_at desc, r.id desc limit 200""",
        ctx.tenant,
        patient,
        prescription,
    )
    return [Refill(**dict(row)) for row in rows]


async def refills_for(ctx: Ctx, prescriber: str) -> list[Refill]:
    """What waits for this prescriber's answer, the oldest first."""
    rows = await ctx.sql.fetch(
        f"{_REFILL} where r.tenant = $1 and r.state = 'asked' and p.prescriber = any($2) order by r.asked_at, r.id",
        ctx.tenant,
        await _hers(ctx, prescriber),
    )
    return [Refill(**dict(row)) for row in rows]


async def in_hand(ctx: Ctx, prescriber: str, since: datetime) -> list[str]:
    """The patients of what was signed since then, by this prescriber or by one whose successor they are."""
    rows = await ctx.sql.fetch(
        """select distinct p.patient from prescribing.prescription p where p.tenant = $1 and p.signed_at >= $3
           and p.prescriber = any($2) order by p.patient""",
        ctx.tenant,
        await _hers(ctx, prescriber),
        since,
    )
    return [row["patient"] for row in rows]


async def put_successor(ctx: Ctx, prescriber: str, successor: str, at: datetime) -> None:
    """From now on successor answers for prescriber, and for those for whom prescriber answered."""
    await ctx.sql.execute(
        "delete from prescribing.successor where tenant = $1 and prescriber = $2", ctx.tenant, successor
    )
    await ctx.sql.execute(
        "update prescribing.successor set successor = $3, since = $4 where tenant = $1 and successor = $2",
        ctx.tenant,
        prescriber,
        successor,
        at,
    )
    await ctx.sql.execute(
        """insert into prescribing.successor (tenant, prescriber, successor, since) values ($1, $2, $3, $4)
           on conflict (tenant, prescriber) do update set successor = excluded.successor, since = excluded.since""",
        ctx.tenant,
        prescriber,
        successor,
        at,
    )
