"""A conversation between a patient, those who act for them, and the clinic."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from bedside.foundation.errors import N_, BedsideError

Side = Literal["home", "clinic"]

KINDS: dict[str, str] = {
    "question": N_("A question"),
    "medicine": N_("A medicine"),
    "result": N_("A result"),
    "appointment": N_("An appointment"),
    "other": N_("Something else"),
}
"""What a thread may be about, as its writer chooses: msgids."""
LONGEST = 5_000
"""Characters of a message."""


@dataclass(frozen=True, slots=True)
class Thread:
    """How a conversation stands. promised: by when an answer was promised to who waits; None: nobody waits.

    person, name: who began it. assigned: who has taken it; None: the team's. told: when lateness was told.
    """

    id: str
    patient: str
    kind: str
    state: Literal["open", "closed"]
    urgent: bool
    opened: datetime
    person: str
    name: str
    assigned: str | None
    assigned_name: str | None
    promised: datetime | None
    told: datetime | None
    last: datetime

    @property
    def open(self) -> bool:
        """Whether it goes on."""
        return self.state == "open"

    @property
    def about(self) -> str:
        """The msgid of what it is about."""
        return KINDS.get(self.kind, KINDS["other"])

    def late(self, now: datetime) -> bool:
        """Whether an answer was promised for earlier than now."""
        return self.promised is not None and self.promised < now


@dataclass(frozen=True, slots=True)
class Written:
    """That a message is there: by whom, when, from which side."""

    id: str
    thread: str
    at: datetime
    person: str
    name: str
    side: Side
    urgent: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """Who has seen a message, and when first."""

    message: str
    person: str
    name: str
    side: Side
    at: datetime


@dataclass(frozen=True, slots=True)
class File:
    """A file of a message: the Binary that holds it, its name, media type and size in bytes."""

    binary: str
    name: str
    media: str
    size: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message with its words, as the record holds them, and by whom of the other side it was seen."""

    written: Written
    text: str
    files: tuple[File, ...] = ()
    seen: tuple[Seen, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something that became of a thread. what: taken, handed, closed, opened, late, visit, task, note. ref: of what."""

    at: datetime
    person: str
    name: str
    what: str
    detail: str = ""
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Talk:
    """A whole thread."""

    thread: Thread
    messages: tuple[Message, ...]
    events: tuple[Event, ...] = ()

    @property
    def lines(self) -> list[Message | Event]:
        """Messages and events in the order in which they happened."""
        both: list[Message | Event] = [*self.messages, *self.events]
        return sorted(both, key=lambda one: one.written.at if isinstance(one, Message) else one.at)


@dataclass(frozen=True, slots=True)
class Row:
    """A thread in a list. last_name, last_side: of its newest message; unseen: those of the other side that the
    reader has not seen; messages: how many there are."""

    thread: Thread
    last_name: str
    last_side: Side
    messages: int
    unseen: int


@dataclass(frozen=True, slots=True)
class Answerer:
    """Somebody who answers. instead_name, until: of whom they stand in for, and how long."""

    person: str
    name: str
    instead_name: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Away:
    """From since to until substitute answers instead of person."""

    id: str
    person: str
    name: str
    substitute: str
    substitute_name: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class New:
    """A message as a form gives it. id: the form's own, so that sending twice is once. files: (name, bytes).

    urgent: its writer was shown the emergency number and sends all the same. held: numbers of its files that were kept
    when it was stopped.
    """

    id: str
    text: str
    files: tuple[tuple[str, bytes], ...] = field(default=())
    urgent: bool = False
    held: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class UnsentFile:
    """A file of a message that is not sent yet. n: its number there. size: bytes."""

    n: int
    name: str
    size: int


@dataclass(frozen=True, slots=True)
class Unsent:
    """What is kept of a message that is not sent yet, and by name what could not be, with the reason."""

    held: tuple[UnsentFile, ...]
    refused: tuple[tuple[str, BedsideError], ...] = ()
