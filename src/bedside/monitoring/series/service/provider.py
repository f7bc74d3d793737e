"""The readings as the record reads them: a view for its searches, a renderer for its answers. No copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bedside.foundation.context import Ctx
from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.series.model import summary
from bedside.monitoring.series.model.identity import Identity, identity
from bedside.monitoring.series.model.identity import owns as owns_reading
from bedside.monitoring.series.model.observation import Shown, observation, texts
from bedside.monitoring.series.service.reading import reading_of
from bedside.monitoring.series.store import readings, summaries
from bedside.records import Column, ReadProvider


def _members(id: str) -> tuple[Identity, ...]:  # noqa: A002 - FHIR's word
    found = identity(id)
    return () if found is None else found.members


async def _shown(ctx: Ctx, ids: Sequence[str]) -> dict[str, list[Shown]]:
    wanted = [member for one in ids for member in _members(one)]
    if not wanted:
        return {}
    rows = await readings.by_identity(
        ctx.sql, ctx.tenant, [i.device for i in wanted], [i.metric for i in wanted], [i.time for i in wanted]
    )
    found: dict[str, list[Shown]] = {}
    for row in rows:
        if row["patient"] is not None:
            shown = Shown(reading_of(row), row["performer"], row["withdrawn_at"])
            found.setdefault(shown.reading.id, []).append(shown)
    return found


async def _hours(ctx: Ctx, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Summaries of thinned hours, by id."""
    wanted = [found for one in ids if (found := summary.key(one)) is not None]
    if not wanted:
        return {}
    rows = await summaries.by_hour(
        ctx.sql, ctx.tenant, [k.device for k in wanted], [k.metric for k in wanted], [k.hour for k in wanted]
    )
    return {one["id"]: one for one in map(summary.observation, rows)}


def owns(id: str) -> bool:  # noqa: A002 - FHIR's word
    """Whether an id has the shape of a reading's or of an hour's."""
    return owns_reading(id) or summary.key(id) is not None


async def render(ctx: Ctx, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Observations by id; what does not exist is left out."""
    return {one: observation(members) for one, members in (await _shown(ctx, ids)).items()} | await _hours(ctx, ids)


async def patient_of(ctx: Ctx, id: str) -> str | None:  # noqa: A002 - FHIR's word
    """The patient's logical id."""
    if hours := await _hours(ctx, [id]):
        return str(hours[id]["subject"]["reference"]).removeprefix("Patient/")
    found = (await _shown(ctx, [id])).get(id)
    return found[0].reading.patient if found else None


async def versions(ctx: Ctx, id: str) -> list[dict[str, Any]]:  # noqa: A002
    """As it stands, and as it read before it was withdrawn."""
    if hours := await _hours(ctx, [id]):
        return [hours[id]]
    found = (await _shown(ctx, [id])).get(id)
    if not found:
        return []
    if not any(one.withdrawn_at for one in found):
        return [observation(found)]
    return [observation(found), observation([Shown(one.reading, one.performer) for one in found])]


CODES, CATEGORIES = texts()
UNITS: Final = tuple(sorted({one.unit for one in METRICS.values()}))
OBSERVATIONS: Final = ReadProvider(
    type="Observation",
    room="monitoring",
    view="monitoring.observation",
    holders="monitoring.observed",
    columns={
        "code": Column("token", "code", texts=CODES),
        "category": Column("token", "category", texts=CATEGORIES),
        "status": Column("token", "status"),
        "date": Column("date", "at", "until"),
        "subject": Column("reference", "subject"),
        "patient": Column("reference", "subject"),
        "device": Column("reference", "device"),
        "value-quantity": Column("quantity", "value", "unit", units=UNITS),
        "component-code": Column("token", "component_code", texts=CODES),
        "combo-code": Column("token", "combo_code", texts=CODES),
        "component-value-quantity": Column("quantity", "component_value", "component_unit", units=UNITS),
        "combo-value-quantity": Column("quantity", "combo_value", "combo_unit", units=UNITS),
    },
    owns=owns,
    render=render,
    patient_of=patient_of,
    versions=versions,
    operation='Send readings by MQTT or type them in Bedside; take one back with "that was not me".',
    documentation="Readings of devices appear here too, computed when they are asked for; they cannot be written here.",
)
"""Handed to records.provide by app."""
