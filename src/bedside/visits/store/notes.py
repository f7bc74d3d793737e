"""SQL of visits' notes and their amendments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from bedside.foundation.context import Ctx
from bedside.visits.model import Amendment, Note, Visit
from bedside.visits.store.visits import visit_of


async def save(ctx: Ctx, note: Note) -> None:
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


async def get(ctx: Ctx, visit: str, *, lock: bool = False) -> Note | None:
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


async def sign(ctx: Ctx, visit: str, at: datetime, decision: dict[str, Any] | None) -> None:
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


async def unsigned(ctx: Ctx, author: str) -> list[Visit]:
    """Visits of an author whose note is not signed: finished ones first."""
    rows = await ctx.sql.fetch(
        """select v.* from visits.visit v left join visits.note n on n.tenant = v.tenant and n.visit = v.id
           where v.tenant = $1 and v.clinician = $2 and v.started_at is not null and n.signed_at is null
           order by v.started_at desc, v.id desc""",
        ctx.tenant,
        author,
    )
    return [visit_of(row) for row in rows]


async def hand_on(ctx: Ctx, visit: str, to: str, name: str, begun_by: str) -> None:
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
