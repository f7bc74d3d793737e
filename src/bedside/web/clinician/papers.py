"""What was written on paper while nothing ran and typed in afterwards (web/downtime), as the chart shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bedside import records
from bedside.foundation.context import Ctx
from bedside.web.clinician.resources import moment

SYSTEM = "urn:bedside:paper"
"""Identifies a written line in the record: sheet/moment/patient/hash of the words."""
MOST = 50


@dataclass(frozen=True, slots=True)
class Line:
    """at: as it was written, not when it was typed in."""

    at: datetime | None
    words: str
    sheet: str


async def lines(ctx: Ctx, patient: str) -> Sequence[Line]:
    """The newest first."""
    asked = {"patient": patient, "identifier": f"{SYSTEM}|", "_sort": "-sent", "_count": str(MOST)}
    found = (await records.search(ctx, "Communication", asked)).entries
    return [
        Line(
            moment(one.get("sent")),
            " ".join(part.get("contentString", "") for part in one.get("payload") or []),
            str(one["identifier"][0]["value"]).partition("/")[0],
        )
        for one in found
        if one.get("status") != "entered-in-error"
    ]
