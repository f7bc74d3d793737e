"""SQL of what ends soon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bedside.access.model.ending import GrantEnds
from bedside.foundation.database import Connection


async def invitations(sql: Connection, tenant: int, people: Sequence[str]) -> dict[str, datetime]:
    """The end of each one's newest invitation."""
    rows = await sql.fetch(
        """select person, max(expires) as ends from access.one_time
        where person = any($2) and tenant = $1 and kind = 'invitation' group by person""",
        tenant,
        list(people),
    )
    return {row["person"]: row["ends"] for row in rows}


async def grants(
    sql: Connection, tenant: int, patients: Sequence[str] | None, since: datetime, until: datetime
) -> list[GrantEnds]:
    """Those that end between the two, of these patients (None: of all), unless another of the two people goes on."""
    rows = await sql.fetch(
        """select g.patient, p.name, max(g.until) as until from access.granted g
        join access.person p on p.id = g.person and p.active
        where g.tenant = $1 and g.revoked is null and g.until > $3 and g.until <= $4
        and ($2::text[] is null or g.patient = any($2))
        and not exists (select from access.granted o where o.tenant = g.tenant and o.patient = g.patient
            and o.person = g.person and o.revoked is null and (o.until is null or o.until > $4))
        group by g.patient, g.person, p.name order by 3, 1""",
        tenant,
        list(patients) if patients is not None else None,
        since,
        until,
    )
    return [GrantEnds(**row) for row in rows]
