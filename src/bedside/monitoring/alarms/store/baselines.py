"""SQL of patients' usual values."""

from __future__ import annotations

from collections.abc import Sequence

from bedside.foundation.database import Connection
from bedside.monitoring.rules.model.past import Baseline


async def read(sql: Connection, tenant: int, patients: Sequence[str]) -> dict[str, dict[tuple[str, int], Baseline]]:
    """By patient, then by metric and days; of whom there is none, nothing."""
    rows = await sql.fetch(
        """select patient, metric, span, as_of, median, deviation, days, readings from monitoring.baseline
           where tenant = $1 and patient = any($2)""",
        *(tenant, list(patients)),
    )
    found: dict[str, dict[tuple[str, int], Baseline]] = {}
    for row in rows:
        fields = dict(row)
        patient = fields.pop("patient")
        found.setdefault(patient, {})[row["metric"], row["span"]] = Baseline(**fields)
    return found


async def put(sql: Connection, tenant: int, patient: str, found: Baseline) -> None:
    """Set, in place of that of an earlier day."""
    await sql.execute(
        """insert into monitoring.baseline (tenant, patient, metric, span, as_of, median, deviation, days, readings)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
            on conflict (tenant, patient, metric, span) do update set as_of = excluded.as_of, median = excluded.median,
                deviation = excluded.deviation, days = excluded.days, readings = excluded.readings""",
        *(tenant, patient, found.metric, found.span, found.as_of, found.median, found.deviation),
        *(found.days, found.readings),
    )


async def needy(sql: Connection) -> list[tuple[int, str]]:
    """Tenant and patient of everybody who may have a rule that needs a usual value."""
    rows = await sql.fetch(
        """select tenant, patient from monitoring.profile where programmes <> '{}'
           union
           select tenant, patient from monitoring.patient_limit where kind = 'baseline' and ended_at is null
           order by 1, 2"""
    )
    return [(row["tenant"], row["patient"]) for row in rows]
