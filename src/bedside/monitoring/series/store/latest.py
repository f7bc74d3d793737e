"""SQL of the newest values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bedside.foundation.database import Connection, texts


async def hold_latest(sql: Connection, tenant: int, patients: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The newest values of patients, their rows locked in one order until the transaction ends: whoever has them
    judges these patients, alone."""
    lock = """select patient, newest from monitoring.latest where tenant = $1 and patient = any($2)
              order by patient for no key update"""
    rows = await sql.fetch(lock, tenant, patients)
    if len(rows) < len(patients):
        await sql.execute(
            """insert into monitoring.latest (tenant, patient) select $1, p from unnest($2::text[]) as u (p)
               order by p on conflict do nothing""",
            *(tenant, patients),
        )
        rows = await sql.fetch(lock, tenant, patients)
    return {row["patient"]: row["newest"] for row in rows}


async def set_latest(sql: Connection, tenant: int, patients: Sequence[str], newest: Sequence[dict[str, Any]]) -> None:
    """Write them back."""
    await sql.execute(
        """update monitoring.latest l set newest = u.newest::jsonb
           from unnest($2::text[], $3::text[]) as u (patient, newest)
           where l.tenant = $1 and l.patient = u.patient and l.patient = any($2)""",
        *(tenant, patients, texts(newest)),
    )


async def latest(sql: Connection, tenant: int, patients: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The newest values, not locked."""
    rows = await sql.fetch(
        "select patient, newest from monitoring.latest where tenant = $1 and patient = any($2)", tenant, patients
    )
    return {row["patient"]: row["newest"] for row in rows}
