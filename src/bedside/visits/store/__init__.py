"""SQL of schema visits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.context import Ctx
from bedside.visits.model import Amendment, Link, Message, Note, Place, Presence, Visit, VisitEvent


def _visit(row: Any) -> Visit:
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
    return _visit(row) if row else None


async def of_patient(ctx: Ctx, patient: str, *, open_only: bool) -> list[Visit]:
    """Newest first."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and patient = $2
           and (not $3 or status not in ('finished', 'cancelled')) order by asked_at desc limit 100""",
        ctx.tenant,
        patient,
        open_only,
    )
    return [_visit(row) for row in rows]


async def open_visits(ctx: Ctx) -> list[Visit]:
    """All that are not over, oldest first, at most 500."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and status not in ('finished', 'cancelled')
           order by asked_at limit 500""",
        ctx.tenant,
    )
    return [_visit(row) for row in rows]


async def of_clinician(ctx: Ctx, clinician: str, since: datetime) -> list[Visit]:
    """Open ones, those asked for, ended or taken back since then, and those whose change she has not noted: newest
    first."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and clinician = $2
           and (status not in ('finished', 'cancelled') or greatest(asked_at, ended_at, planned_changed) >= $3
                or (change is not null and change_noted is null)) order by asked_at desc""",
        ctx.tenant,
        clinician,
        since,
    )
    return [_visit(row) for row in rows]


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


async def planned_of(ctx: Ctx, person: str, since: datetime, *, home: bool) -> list[Visit]:
    """The visits of a person, as the patient (home) or the clinician, that are planned for a moment from then on, in
    order, at most 500: those that were cancelled too."""
    rows = await ctx.sql.fetch(
        f"""select * from visits.visit where tenant = $1 and {"person" if home else "clinician"} = $2
            and planned_at >= $3 order by planned_at, id limit 500""",  # noqa: S608
        ctx.tenant,
        person,
        since,
    )
    return [_visit(row) for row in rows]


async def planned_for(ctx: Ctx, patients: Sequence[str], since: datetime) -> list[Visit]:
    """The same of these patients, whoever follows them."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and patient = any($2) and planned_at >= $3
           order by planned_at, id limit 500""",
        *(ctx.tenant, list(patients), since),
    )
    return [_visit(row) for row in rows]


async def add_link(ctx: Ctx, visit: str, token: bytes, made_at: datetime, expires_at: datetime) -> None:
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


async def link(ctx: Ctx, *, token: bytes | None = None, device: bytes | None = None, lock: bool = False) -> Link | None:
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


async def kill_links(ctx: Ctx, visit: str, at: datetime) -> None:
    """Every link of a visit that ended."""
    await ctx.sql.execute(
        "update visits.link set dead_at = coalesce(dead_at, $3) where tenant = $1 and visit = $2",
        ctx.tenant,
        visit,
        at,
    )


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


async def present(ctx: Ctx, visit: str) -> list[Presence]:
    """Every stay, in order."""
    rows = await ctx.sql.fetch(
        """select who, name, role, joined_at, left_at from visits.presence
           where tenant = $1 and visit = $2 order by joined_at""",
        ctx.tenant,
        visit,
    )
    return [Presence(**dict(row)) for row in rows]


async def add_message(ctx: Ctx, visit: str, message: Message) -> None:
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


async def messages(ctx: Ctx, visit: str) -> list[Message]:
    """The chat, in order."""
    rows = await ctx.sql.fetch(
        "select id, at, who, name, text from visits.chat where tenant = $1 and visit = $2 order by at, id",
        ctx.tenant,
        visit,
    )
    return [Message(**dict(row)) for row in rows]


async def save_note(ctx: Ctx, note: Note) -> None:
    """Keep the text unless a newer revision is kept; a signed one is refused by the table itself."""
    await ctx.sql.execute(
        """insert into visits.note (tenant, visit, author, author_name, text, revision, saved_at)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (tenant, visit) do update
               set text = excluded.text, revision = excluded.revision, saved_at = excluded.saved_at
               where note.revision < excluded.revision""",
        ctx.tenant,
        note.visit,
        note.author,
        note.author_name,
        note.text,
        note.revision,
        note.saved_at,
    )


async def note(ctx: Ctx, visit: str, *, lock: bool = False) -> Note | None:
    """The note with its amendments."""
    row = await ctx.sql.fetchrow(
        f"""select visit, author, author_name, text, revision, saved_at, signed_at from visits.note
            where tenant = $1 and visit = $2 {"for update" if lock else ""}""",  # noqa: S608
        ctx.tenant,
        visit,
    )
    if row is None:
        return None
    rows = await ctx.sql.fetch(
        """select number, author_name, text, signed_at from visits.amendment
           where tenant = $1 and visit = $2 order by number""",
        ctx.tenant,
        visit,
    )
    return Note(**dict(row), amendments=tuple(Amendment(**dict(r)) for r in rows))


async def sign_note(ctx: Ctx, visit: str, at: datetime, decision: dict[str, Any] | None) -> None:
    """For good."""
    await ctx.sql.execute(
        "update visits.note set signed_at = $3, decision = $4 where tenant = $1 and visit = $2",
        ctx.tenant,
        visit,
        at,
        decision,
    )


async def amend(ctx: Ctx, visit: str, amendment: Amendment) -> None:
    """Add to a signed note."""
    await ctx.sql.execute(
        """insert into visits.amendment (tenant, visit, number, author, author_name, text, signed_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        ctx.tenant,
        visit,
        amendment.number,
        ctx.actor.id,
        amendment.author_name,
        amendment.text,
        amendment.signed_at,
    )


async def unsigned_notes(ctx: Ctx, author: str) -> list[Visit]:
    """Visits of an author whose note is not signed: finished ones first."""
    rows = await ctx.sql.fetch(
        """select v.* from visits.visit v left join visits.note n on n.tenant = v.tenant and n.visit = v.id
           where v.tenant = $1 and v.clinician = $2 and v.started_at is not null and n.signed_at is null
           order by v.started_at desc""",
        ctx.tenant,
        author,
    )
    return [_visit(row) for row in rows]


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
    return [(_visit(row), row["drafted"]) for row in rows]


async def pass_note(ctx: Ctx, visit: str, to: str, name: str, begun_by: str) -> None:
    """An unsigned draft goes to another writer, and says who began it."""
    await ctx.sql.execute(
        """update visits.note set author = $3, author_name = $4, revision = revision + 1, text = $5 || text
           where tenant = $1 and visit = $2 and signed_at is null""",
        ctx.tenant,
        visit,
        to,
        name,
        begun_by,
    )


async def any_begun(ctx: Ctx) -> bool:
    """Whether any visit ever began."""
    asked = "select exists (select from visits.visit where tenant = $1 and started_at is not null)"
    return bool(await ctx.sql.fetchval(asked, ctx.tenant))


async def quiet_since(ctx: Ctx, visit: str) -> datetime | None:
    """When the last one left; None while somebody is there, or when nobody ever was."""
    return await ctx.sql.fetchval(  # type: ignore[no-any-return]
        """select case when bool_or(left_at is null) then null else max(left_at) end
           from visits.presence where tenant = $1 and visit = $2""",
        ctx.tenant,
        visit,
    )
