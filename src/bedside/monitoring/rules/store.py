"""SQL of profiles and patients' own limits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection, Row
from bedside.monitoring.rules.model.limits import PatientLimit
from bedside.monitoring.rules.model.profile import Profile


def profile_of(row: Any) -> Profile:
    """From columns birth_date, pregnant, news2_scale, news2_applies, programmes; all null where there is no profile."""
    if row["news2_scale"] is None:
        return Profile()
    programmes = tuple(row["programmes"])
    return Profile(row["birth_date"], row["pregnant"], row["news2_scale"], row["news2_applies"], programmes)


def limits_of(rows: list[dict[str, Any]] | None) -> tuple[PatientLimit, ...]:
    """From the JSON array of rows that the judge's memory selects."""
    return tuple(limit_of(row) for row in rows or ())


def limit_of(row: Mapping[str, Any]) -> PatientLimit:
    """From a row of monitoring.patient_limit."""
    return PatientLimit(
        row["metric"],
        row["comparison"],
        row["value"],
        row["priority"],
        row["reason"],
        row["rule"],
        row["kind"],
        row["hours"],
        row["least"],
        row["of_last"],
        row["spread"],
        row["delay_seconds"],
    )


async def profile(sql: Connection, tenant: int, patient: str) -> Row | None:
    """The row, with changed_at and changed_by."""
    row = await sql.fetchrow("select * from monitoring.profile where tenant = $1 and patient = $2", tenant, patient)
    return None if row is None else dict(row)


async def put_profile(
    sql: Connection, tenant: int, patient: str, new: Profile, *, at: datetime, by: str, reason: str
) -> None:
    """Set, and keep in the history."""
    await sql.execute(
        """
        insert into monitoring.profile
            (tenant, patient, birth_date, pregnant, news2_scale, news2_applies, programmes, changed_at, changed_by)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant, patient) do update set
            birth_date = excluded.birth_date, pregnant = excluded.pregnant, news2_scale = excluded.news2_scale,
            news2_applies = excluded.news2_applies, programmes = excluded.programmes,
            changed_at = excluded.changed_at, changed_by = excluded.changed_by
        """,
        tenant,
        patient,
        new.birth_date,
        new.pregnant,
        new.news2_scale,
        new.news2_applies,
        list(new.programmes),
        at,
        by,
    )
    await sql.execute(
        "insert into monitoring.profile_change (tenant, patient, at, by, reason, profile)"
        " values ($1, $2, $3, $4, $5, $6)",
        tenant,
        patient,
        at,
        by,
        reason,
        {
            "birth_date": None if new.birth_date is None else new.birth_date.isoformat(),
            "pregnant": new.pregnant,
            "news2_scale": new.news2_scale,
            "news2_applies": new.news2_applies,
            "programmes": list(new.programmes),
        },
    )


async def limits(sql: Connection, tenant: int, patient: str) -> list[Row]:
    """The patient's own limits in force, with who set them and when."""
    rows = await sql.fetch(
        """
        select metric, comparison, value, priority, reason, rule, kind, hours, least, of_last, spread, delay_seconds,
               set_at, set_by
        from monitoring.patient_limit
        where tenant = $1 and patient = $2 and ended_at is null order by metric, comparison, priority, kind, rule
        """,
        tenant,
        patient,
    )
    return [dict(row) for row in rows]


async def end_limit(sql: Connection, tenant: int, patient: str, limit: PatientLimit, *, at: datetime, by: str) -> None:
    """End the row that stands in place of the same rule, or is of the same kind, metric, direction and priority."""
    await sql.execute(
        """
        update monitoring.patient_limit set ended_at = $6, ended_by = $7
        where tenant = $1 and patient = $2 and rule = $8 and ended_at is null
          and (rule <> '' or (kind = $9 and metric = $3 and left(comparison, 1) = left($4, 1) and priority = $5))
        """,
        *(tenant, patient, limit.metric, limit.comparison, limit.priority, at, by, limit.rule, limit.kind),
    )


async def add_limit(
    sql: Connection, tenant: int, patient: str, limit: PatientLimit, *, id: str, at: datetime, by: str
) -> None:
    """Set a row."""
    await sql.execute(
        """
        insert into monitoring.patient_limit (id, tenant, patient, metric, comparison, value, priority, reason,
                                              set_at, set_by, rule, kind, hours, least, of_last, spread,
                                              delay_seconds)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
        """,
        *(id, tenant, patient, limit.metric, limit.comparison, limit.limit, limit.priority, limit.reason, at, by),
        *(limit.rule, limit.kind, limit.hours, limit.least, limit.of, limit.spread, limit.delay_seconds),
    )
