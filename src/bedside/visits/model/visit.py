"""A visit and its life, as a table of states."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from bedside.foundation.errors import N_, Conflict

Status = Literal["handed", "taken", "invited", "waiting", "in-progress", "finished", "cancelled"]

STEPS: dict[tuple[Status, str], Status] = {
    ("handed", "take"): "taken",
    ("handed", "hand"): "handed",
    ("taken", "hand"): "handed",
    ("invited", "hand"): "invited",
    ("waiting", "hand"): "waiting",
    ("taken", "invite"): "invited",
    ("invited", "invite"): "invited",
    ("waiting", "invite"): "waiting",
    ("in-progress", "invite"): "in-progress",
    ("taken", "arrive"): "waiting",
    ("invited", "arrive"): "waiting",
    ("waiting", "arrive"): "waiting",
    ("in-progress", "arrive"): "in-progress",
    ("waiting", "start"): "in-progress",
    ("in-progress", "start"): "in-progress",
    ("waiting", "end"): "finished",
    ("in-progress", "end"): "finished",
    ("handed", "cancel"): "cancelled",
    ("taken", "cancel"): "cancelled",
    ("invited", "cancel"): "cancelled",
    ("waiting", "cancel"): "cancelled",
}
"""An empty visit, and one that nobody came to, ends by 'end' or 'cancel' of the clock (service.close_empty)."""

SAYS: dict[Status, str] = {
    "handed": N_("waiting to be taken"),
    "taken": N_("taken"),
    "invited": N_("invited"),
    "waiting": N_("in the waiting room"),
    "in-progress": N_("in progress"),
    "finished": N_("finished"),
    "cancelled": N_("cancelled"),
}
"""A state as a refusal says it."""

DOORS = timedelta(minutes=30)
"""How long before its time the patient is let into a planned visit: where they say they are must still hold when it
begins (hazard H144). Site choice."""
MINUTES = (10, 15, 20, 30, 45, 60)
"""How long a visit is planned for."""
OPEN: tuple[Status, ...] = ("handed", "taken", "invited", "waiting", "in-progress")


class Place(msgspec.Struct, frozen=True):
    """Where the patient says they are now. country: ISO 3166-1 alpha-2; subdivision: ISO 3166-2 after the hyphen."""

    country: str
    subdivision: str
    address: str
    callback: str

    @property
    def jurisdiction(self) -> str:
        """US-NY, or DE."""
        return f"{self.country}-{self.subdivision}" if self.subdivision else self.country


class Visit(msgspec.Struct, frozen=True):
    """A visit as its room keeps it. decision: the licence decision, see access.LicenceDecision.

    planned_at: the moment it was planned for; None: as soon as both are there. planned_changes: how often that was
    moved or taken back since, planned_changed when last.

    change: what somebody else than its clinician did to it: moved or cancelled; change_by: their name; change_at: when;
    change_from: for when it was planned before. change_noted: since when its clinician knows.
    """

    id: str
    status: Status
    patient: str
    person: str
    reason: str
    asked_by: str
    asked_by_name: str
    asked_at: datetime
    alarm: str | None = None
    clinician: str | None = None
    clinician_name: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    place: Place | None = None
    agreed_at: datetime | None = None
    decision: dict[str, Any] | None = None
    planned_at: datetime | None = None
    planned_minutes: int | None = None
    planned_changes: int = 0
    planned_changed: datetime | None = None
    change: Literal["moved", "cancelled"] | None = None
    change_by: str | None = None
    change_at: datetime | None = None
    change_from: datetime | None = None
    change_noted: datetime | None = None

    @property
    def changed(self) -> bool:
        """Whether its clinician has still to note what somebody else did to it."""
        return self.change is not None and self.change_noted is None

    def early(self, now: datetime) -> bool:
        """Whether it is planned for so much later that nobody is let in yet."""
        return self.planned_at is not None and self.started_at is None and now < self.planned_at - DOORS

    @property
    def open(self) -> bool:
        """Whether anybody can still join."""
        return self.status in OPEN


class Presence(msgspec.Struct, frozen=True):
    """Somebody's stay: one row a connection."""

    who: str
    name: str
    role: str
    joined_at: datetime
    left_at: datetime | None = None


class VisitEvent(msgspec.Struct, frozen=True):
    """One line of what happened."""

    at: datetime
    who: str
    event: str
    detail: str = ""


class Message(msgspec.Struct, frozen=True):
    """One line of chat."""

    id: str
    at: datetime
    who: str
    name: str
    text: str


def next_status(status: Status, step: str) -> Status:
    """The state after step. Raises Conflict."""
    try:
        return STEPS[status, step]
    except KeyError:
        raise Conflict("This visit is %(status)s: that is not possible now.", status=SAYS[status]) from None
