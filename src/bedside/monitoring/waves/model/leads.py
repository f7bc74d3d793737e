"""The table of leads (tables/leads.toml)."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Final

import msgspec


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


_TABLE: Final = msgspec.convert(
    tomllib.loads((files("bedside.monitoring.waves") / "tables" / "leads.toml").read_text("utf-8")), _Table
)
LEADS: Final[dict[int, Lead]] = {lead.number: lead for lead in _TABLE.lead}
"""By number."""
BY_NAME: Final[dict[str, Lead]] = {lead.name: lead for lead in _TABLE.lead}
