"""The table of leads (tables/leads.toml)."""

from __future__ import annotations

from typing import Final

import msgspec

from bedside.foundation.tables import table_of


class Lead(msgspec.Struct, frozen=True):
    """One row; see the table."""

    number: int
    name: str
    display: str
    units: tuple[str, ...]
    metric: str
    span: float
    mdc: int | None = None


class _Table(msgspec.Struct, frozen=True):
    version: str
    source: str
    lead: tuple[Lead, ...]


_TABLE: Final = table_of("bedside.monitoring.waves", "tables/leads.toml", _Table)
LEADS: Final[dict[int, Lead]] = {lead.number: lead for lead in _TABLE.lead}
"""By number."""
BY_NAME: Final[dict[str, Lead]] = {lead.name: lead for lead in _TABLE.lead}
