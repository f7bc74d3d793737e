"""SQL of late findings."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.alarms.model import LateFinding

COLUMNS = "id, patient, cause, priority, finding, count, first_at, last_at, received_at"


async def add(sql: Connection, tenant: int, new: LateFinding) -> None:
    """A new one, or more of one that nobody has seen yet; the worse of two is told, of equals the later."""
    await sql.execute(
        """insert into monitoring.late_finding as l
           (id, tenant, patient, cause, priority, finding, count, first_at, last_at, received_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           on conflict (tenant, patient, cause) where seen_at is null do update
           set count = l.count + excluded.count, first_at = least(l.first_at, excluded.first_at),
               last_at = greatest(l.last_at, excluded.last_at), received_at = excluded.received_at,
               priority = case when excluded.rank >= l.rank then excluded.priority else l.priority end,
               finding = case when excluded.rank >= l.rank then excluded.finding else l.finding end""",
        *(new.id, tenant, new.patient, new.cause, new.priority, new.finding, new.count),
        *(new.first_at, new.last_at, new.received_at),
    )


async def unseen(sql: Connection, tenant: int, patients: Collection[str] | None, limit: int) -> list[LateFinding]:
    """The worst first, then the newest. patients: None for everybody's."""
    rows = await sql.fetch(
        f"""select {COLUMNS} from monitoring.late_finding
            where tenant = $1 and seen_at is null and ($2::text[] is null or patient = any($2))
            order by rank desc, received_at desc limit $3""",  # noqa: S608 - columns of ours
        *(tenant, None if patients is None else list(patients), limit),
    )
    return [LateFinding(**row) for row in rows]


async def patient_of(sql: Connection, tenant: int, id: str) -> str | None:
    """Whose it is; None where there is none."""
    found: str | None = await sql.fetchval(
        "select patient from monitoring.late_finding where tenant = $1 and id = $2", tenant, id
    )
    return found


async def seen(sql: Connection, tenant: int, id: str, by: tuple[str, str], note: str, at: datetime) -> bool:
    """Whether nobody had seen it before. by: id and name."""
    done: Any = await sql.execute(
        """update monitoring.late_finding set seen_by = $3, seen_by_name = $4, note = $5, seen_at = $6
           where tenant = $1 and id = $2 and seen_at is null""",
        *(tenant, id, *by, note, at),
    )
    return bool(done == "UPDATE 1")


async def not_seen(sql: Connection, tenant: int, id: str, by: str, since: datetime) -> bool:
    """Nobody has seen it, if this person said so since then and no newer one stands in its place; whether it is so."""
    done: Any = await sql.execute(
        """update monitoring.late_finding f set seen_by = null, seen_by_name = null, note = '', seen_at = null
           where tenant = $1 and id = $2 and seen_by = $3 and seen_at >= $4 and not exists (
               select from monitoring.late_finding o where o.tenant = f.tenant and o.patient = f.patient
               and o.cause = f.cause and o.seen_at is null)""",
        *(tenant, id, by, since),
    )
    return bool(done == "UPDATE 1")
