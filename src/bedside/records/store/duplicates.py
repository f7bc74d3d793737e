"""Pairs of patients who share something that tells people apart."""

from collections.abc import Sequence

from bedside.foundation.database import Connection
from bedside.records.model import rows

SHARED = ("identifier", "birthdate", "telecom")
"""Parameters whose same value makes a pair worth a look."""


async def pairs(
    sql: Connection, tenant: int, after: tuple[int, int], limit: int, among: Sequence[int] | None = None
) -> list[tuple[int, int]]:
    """Numbers of two patients who share a value, in order, each pair once. among: both are of these."""
    which = [rows.param("Patient", one) for one in SHARED]
    found = await sql.fetch(
        "select distinct a.rid as one, b.rid as other from records.entry a"
        " join records.entry b on b.tenant = a.tenant and b.param = a.param and b.key = a.key and b.extra = a.extra"
        " and b.rid > a.rid where a.tenant = $1 and a.param = any($2::int[]) and (a.rid, b.rid) > ($3, $4)"
        " and ($6::bigint[] is null or (a.rid = any($6) and b.rid = any($6))) order by one, other limit $5",
        tenant,
        which,
        *after,
        limit,
        None if among is None else list(among),
    )
    return [(row["one"], row["other"]) for row in found]


async def bodies(sql: Connection, tenant: int, rids: Sequence[int]) -> dict[int, bytes]:
    """Patients as they stand, by number; those deleted are left out."""
    found = await sql.fetch(
        "select rid, body from records.resource"
        " where tenant = $1 and type = 'Patient' and rid = any($2::bigint[]) and body is not null",
        tenant,
        list(rids),
    )
    return {row["rid"]: row["body"] for row in found}
