"""The patient banner's facts: on every chart, visit and signing page the same."""

from __future__ import annotations

from bedside import records
from bedside.foundation.context import Ctx
from bedside.web.clinician.summary import Header, header


async def banner_of(ctx: Ctx, key: str) -> Header:
    """The banner of the patient with this id. Raises NotFound, Forbidden."""
    patient = await records.read(ctx, "Patient", key)
    found = await records.every(ctx, "AllergyIntolerance", {"patient": key})
    return header(patient, found.entries)
