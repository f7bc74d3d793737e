"""Emergency access, and what a privacy officer found when she reviewed it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Outcome = Literal["justified", "not-justified"]
OUTCOMES: tuple[Outcome, ...] = ("justified", "not-justified")


@dataclass(frozen=True, slots=True)
class Emergency:
    """Somebody opened a record by emergency access. id: of it, without its kind; since, until: as long as it lets them.

    at, by, by_name, outcome, note: of its review, None and empty before there is one.
    """

    id: str
    person: str
    name: str
    patient: str
    reason: str
    since: datetime
    until: datetime | None
    at: datetime | None = None
    by: str | None = None
    by_name: str | None = None
    outcome: Outcome | None = None
    note: str = ""
