"""The audit: entries in, seals over them, lines out. Entries are only ever appended; the database refuses else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from bedside.access.model.audit import COLUMNS, AuditLine
from bedside.foundation.database import Connection, Row

_COLUMNS = ", ".join(COLUMNS)
# One sealer at a time, over all processes on this database.
SEALER = 0x5EA1


async def append(sql: Connection, entries: Sequence[Row]) -> None:
    """Write entries and note each as not yet sealed: one statement, in the caller's transaction or its own."""
    # One JSON text: asyncpg asks of each member of an array whether it is an array itself, which costs more than this.
    await sql.execute(
        """with entry as (
            insert into access.audit (tenant, at, request, action, outcome, actor_kind, actor, actor_name,
                actor_reference, roles, purpose, reason, origin, patients, entities, refused, wrote)
            select tenant, at, request, action, outcome, actor_kind, actor, actor_name,
                actor_reference, roles, purpose, reason, origin, patients, entities, refused, wrote
            from json_to_recordset($1) as e(tenant integer, at timestamptz, request text, action text, outcome text,
                actor_kind text, actor text, actor_name text, actor_reference text, roles text[], purpose text,
                reason text, origin text, patients jsonb, entities text[], refused text, wrote boolean)
            returning seq)
        insert into access.audit_pending select seq from entry""",
        entries,
    )


async def try_lock(sql: Connection) -> bool:
    """Become the one sealer until the transaction ends."""
    mine: bool = await sql.fetchval("select pg_try_advisory_xact_lock($1)", SEALER)
    return mine


async def take_pending(sql: Connection, limit: int) -> list[Row]:
    """The oldest committed entries that no seal covers, in order. Sequence numbers may have gaps and come late."""
    seqs = await sql.fetch(
        """delete from access.audit_pending
        where seq in (select seq from access.audit_pending order by seq limit $1) returning seq""",
        limit,
    )
    rows = await sql.fetch(
        f"select {_COLUMNS} from access.audit where seq = any($1) order by seq",  # noqa: S608
        [row["seq"] for row in seqs],
    )
    return [dict(row) for row in rows]


async def last_seal(sql: Connection) -> Row | None:
    """The chain's head: n, at, hash."""
    row = await sql.fetchrow("select n, at, hash from access.audit_seal order by n desc limit 1")
    return dict(row) if row else None


async def insert_seal(
    sql: Connection, n: int, at: datetime, seqs: list[int], leaves: list[bytes], previous: bytes, hash: bytes
) -> None:
    """Add a link."""
    await sql.execute(
        "insert into access.audit_seal (n, at, seqs, leaves, previous, hash) values ($1, $2, $3, $4, $5, $6)",
        n,
        at,
        seqs,
        leaves,
        previous,
        hash,
    )


async def seals(sql: Connection) -> AsyncIterator[Row]:
    """Every link in order, in an open transaction."""
    async for row in sql.cursor(
        "select n, at, seqs, leaves, previous, hash from access.audit_seal order by n", prefetch=50
    ):
        yield dict(row)


async def entries(sql: Connection, seqs: list[int]) -> dict[int, Row]:
    """Entries by number."""
    rows = await sql.fetch(f"select {_COLUMNS} from access.audit where seq = any($1)", seqs)  # noqa: S608
    return {row["seq"]: dict(row) for row in rows}


async def strays(sql: Connection) -> list[int]:
    """Numbers of entries that are neither sealed nor waiting: nobody but an intruder makes such."""
    rows = await sql.fetch(
        """select seq from access.audit except select unnest(seqs) from access.audit_seal
        except select seq from access.audit_pending order by 1 limit 100"""
    )
    return [row["seq"] for row in rows]


async def pending(sql: Connection) -> list[Row]:
    """What waits for a seal: seq, and at (None when the entry is gone)."""
    rows = await sql.fetch(
        "select p.seq, a.at from access.audit_pending p left join access.audit a using (seq) order by 1"
    )
    return [dict(row) for row in rows]


async def lines(
    sql: Connection,
    tenant: int,
    *,
    patient: str | None,
    since: datetime | None,
    before: int | None,
    limit: int,
    id: int | None = None,
) -> list[AuditLine]:
    """The newest first; before: the id (seq) to go on from."""
    rows = await sql.fetch(
        f"""select {_COLUMNS} from access.audit where tenant = $1 and ($2::text is null or patients ? $2)
        and ($3::timestamptz is null or at >= $3) and ($4::bigint is null or seq < $4)
        and ($6::bigint is null or seq = $6) order by seq desc limit $5""",  # noqa: S608
        tenant,
        patient,
        since,
        before,
        limit,
        id,
    )
    return [_line(row, patient) for row in rows]


def _line(row: Any, patient: str | None) -> AuditLine:
    patients: dict[str, str] = row["patients"]
    every = "".join(c for c in "CRUDE" if any(c in actions for actions in patients.values()))
    return AuditLine(
        id=str(row["seq"]),
        at=row["at"],
        action=row["action"],
        outcome=row["outcome"],
        actor_kind=row["actor_kind"],
        actor=row["actor"],
        actor_name=row["actor_name"],
        actor_reference=row["actor_reference"],
        roles=tuple(row["roles"]),
        purpose=row["purpose"],
        reason=row["reason"],
        origin=row["origin"],
        actions=patients.get(patient, "") if patient else every,
        patients=tuple(patients),
        entities=tuple(row["entities"]),
        wrote=row["wrote"],
    )
