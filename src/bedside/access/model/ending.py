"""What ends soon; pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bedside.access.model.people import Person


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody who has not come in yet. until: the end of their newest link, which may have passed; None: no link."""

    person: Person
    until: datetime | None


@dataclass(frozen=True, slots=True)
class GrantEnds:
    """A patient lets somebody in until then."""

    patient: str
    name: str
    until: datetime
