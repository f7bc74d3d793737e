"""The record as it stood at one moment, type by type, in an order that no write changes."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from bedside.foundation.database import Connection, Row
from bedside.records.model.provider import ReadProvider


class Walk(NamedTuple):
    """What is walked. at: the moment. since: changed after it. owned: only what belongs to a patient.
    patients: only what belongs to one of these; None for all."""

    type: str
    at: datetime
    since: datetime | None = None
    owned: bool = False
    patients: Sequence[str] | None = None


async def page(sql: Connection, tenant: int, walk: Walk, after: int, limit: int) -> list[Row]:
    """Rows born, type, id, version, updated, patients, body (null: deleted) as they stood at walk.at.

    In the order in which the resources came to be, which stays whatever is written meanwhile. What stood there before
    a later version is in the history, under the same number.
    """
    arguments: list[object] = [tenant, walk.type, walk.at, after, limit]

    def bind(value: object) -> str:
        arguments.append(value)
        return f"${len(arguments)}"

    where = []
    if walk.since is None:
        where.append("a.body is not null")
    else:
        since = bind(walk.since)
        where.append(f"r.updated > {since} and a.updated > {since}")
    if walk.patients is not None:
        where.append(f"a.patients && {bind(list(walk.patients))}::text[]")
    elif walk.owned:
        where.append("cardinality(a.patients) > 0")
    rows: list[Row] = await sql.fetch(
        "select r.born, r.type, r.id, a.version, a.updated, a.patients, a.body from records.resource r"
        " cross join lateral ("
        "  select r.version, r.updated, r.patients, r.body where r.updated <= $3"
        "  union all"
        "  (select h.version, h.updated, h.patients, h.body from records.history h"
        "   where h.tenant = r.tenant and h.rid = r.rid and h.updated <= $3 and r.updated > $3"
        "   order by h.version desc limit 1)"
        f" ) a where r.tenant = $1 and r.type = $2 and r.born > $4 and {' and '.join(where)}"
        " order by r.born limit $5",
        *arguments,
    )
    return rows


async def standing(sql: Connection, tenant: int, rids: Sequence[int], at: datetime) -> dict[str, Row]:
    """Those of one type as they stood at the moment, by id: version, updated, patients, body."""
    rows = await sql.fetch(
        "select r.id, a.* from records.resource r cross join lateral ("
        "  select r.version, r.updated, r.patients, r.body where r.updated <= $3"
        "  union all"
        "  (select h.version, h.updated, h.patients, h.body from records.history h"
        "   where h.tenant = r.tenant and h.rid = r.rid and h.updated <= $3 and r.updated > $3"
        "   order by h.version desc limit 1)"
        " ) a where r.tenant = $1 and r.rid = any($2::bigint[])",
        tenant,
        list(rids),
        at,
    )
    return {row["id"]: row for row in rows}


async def count(sql: Connection, tenant: int, walk: Walk) -> int:
    """How many rows there are to walk, nearly."""
    return int(
        await sql.fetchval(
            "select count(*) from records.resource where tenant = $1 and type = $2"
            " and ($3::timestamptz is null or updated > $3) and ($4::text[] is null or patients && $4)",
            tenant,
            walk.type,
            walk.since,
            None if walk.patients is None else list(walk.patients),
        )
    )


async def patient_ids(sql: Connection, tenant: int, after: int, limit: int) -> list[tuple[int, str]]:
    """Every patient there ever was: born and id."""
    rows = await sql.fetch(
        "select born, id from records.resource where tenant = $1 and type = 'Patient' and born > $2"
        " order by born limit $3",
        tenant,
        after,
        limit,
    )
    return [(row["born"], row["id"]) for row in rows]


class ProvidedWalk(NamedTuple):
    """The rows of one patient in a provider's view, changed after `since` and up to `at`."""

    provider: ReadProvider
    patient: str
    at: datetime
    since: datetime | None = None


async def provided(
    sql: Connection, tenant: int, walk: ProvidedWalk, after: tuple[datetime, str] | None, limit: int
) -> list[Row]:
    """Rows id, at, updated of one patient, the newest first."""
    arguments: list[object] = [tenant, walk.patient, limit]
    where = "v.tenant = $1 and v.patient = $2"
    if after is not None:
        arguments += after
        where += " and v.at <= $4 and (v.at, v.id) < ($4, $5)"
    if walk.since is not None:
        arguments.append(walk.since)
        where += f" and v.updated > ${len(arguments)}"
    rows: list[Row] = await sql.fetch(
        f"select v.id, v.at, v.updated from {walk.provider.view} v where {where}"
        " order by v.at desc, v.id desc limit $3",
        *arguments,
    )
    return rows


async def older_work(sql: Connection, moment: datetime) -> bool:
    """Whether a transaction that began by then is still open: what it writes may carry an earlier time."""
    return bool(
        await sql.fetchval(
            "select exists (select from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and xact_start <= $1)",
            moment,
        )
    )
