"""SQL of visits by when they are planned for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bedside.foundation.context import Ctx
from bedside.visits.model import Visit
from bedside.visits.store.visits import visit_of


async def of_person(ctx: Ctx, person: str, since: datetime, *, home: bool) -> list[Visit]:
    """The visits of a person, as the patient (home) or the clinician, that are planned for a moment from then on, in
    order: those that were cancelled too."""
    rows = await ctx.sql.fetch(
        f"""select * from visits.visit where tenant = $1 and {"person" if home else "clinician"} = $2
            and planned_at >= $3 order by planned_at, id""",  # noqa: S608
        ctx.tenant,
        person,
        since,
    )
    return [visit_of(row) for row in rows]


async def of_patients(ctx: Ctx, patients: Sequence[str], since: datetime) -> list[Visit]:
    """The same of these patients, whoever follows them."""
    rows = await ctx.sql.fetch(
        """select * from visits.visit where tenant = $1 and patient = any($2) and planned_at >= $3
           order by planned_at, id""",
        *(ctx.tenant, list(patients), since),
    )
    return [visit_of(row) for row in rows]
