"""The states of an alarm and what may happen in each, as a table; pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any, Literal

from bedside.foundation.errors import N_, Conflict
from bedside.monitoring.rules.model.tables import RANK

State = Literal[
    "pending",
    "raised",
    "escalated",
    "ended",
    "acknowledged",
    "acted",
    "paused",
    "passed",
    "resolved",
    "false-alarm",
    "withdrawn",
    "superseded",
]
Event = Literal[
    "raise",
    "escalate",
    "acknowledge",
    "act",
    "hand-over",
    "pause",
    "unpause",
    "end",
    "resume",
    "return",
    "resolve",
    "dismiss",
    "withdraw",
    "supersede",
    "undo",
]

WAITING: frozenset[str] = frozenset({"pending"})
"""Its delay runs: nobody is told, it sounds nowhere and stands in no list of alarms."""
UNSEEN: frozenset[str] = frozenset({"raised", "escalated", "ended"})
"""Nobody has answered: it sounds (unless it ended by itself), and it climbs the ladder."""
HELD: frozenset[str] = frozenset({"acknowledged", "acted", "paused"})
"""Somebody has it, or will until its pause ends."""
OPEN: frozenset[str] = UNSEEN | HELD
TECHNICAL = ("silence:", "battery:")
"""How the causes of alarms about a device begin; the device's name follows."""
CLOSED: frozenset[str] = frozenset({"passed", "resolved", "false-alarm", "withdrawn", "superseded"})

TRANSITIONS: dict[tuple[str, str], State] = {
    # The delay is over and the limit still broken, or nothing was heard since; or something worse, that does not wait.
    ("pending", "raise"): "raised",
    # Within limits before the delay was over: nobody was told, so nobody need see it.
    ("pending", "end"): "passed",
    ("pending", "withdraw"): "withdrawn",
    # Nobody came: one step up, for ever. One that ended by itself is still unseen, so it climbs too.
    ("raised", "escalate"): "escalated",
    ("escalated", "escalate"): "escalated",
    ("ended", "escalate"): "ended",
    # Somebody saw it. Seeing one that is over closes it.
    ("raised", "acknowledge"): "acknowledged",
    ("escalated", "acknowledge"): "acknowledged",
    ("ended", "acknowledge"): "resolved",
    ("acknowledged", "acknowledge"): "acknowledged",
    ("acted", "acknowledge"): "acted",
    # Somebody did something.
    ("raised", "act"): "acted",
    ("escalated", "act"): "acted",
    ("acknowledged", "act"): "acted",
    ("acted", "act"): "acted",
    ("ended", "act"): "resolved",
    # Somebody gave it to somebody else.
    ("raised", "hand-over"): "acknowledged",
    ("escalated", "hand-over"): "acknowledged",
    ("ended", "hand-over"): "acknowledged",
    ("acknowledged", "hand-over"): "acknowledged",
    ("acted", "hand-over"): "acted",
    ("paused", "acknowledge"): "acknowledged",
    ("paused", "act"): "acted",
    ("paused", "hand-over"): "acknowledged",
    # Somebody is at the patient and lets it be quiet for a while; again is another pause.
    ("raised", "pause"): "paused",
    ("escalated", "pause"): "paused",
    ("acknowledged", "pause"): "paused",
    ("acted", "pause"): "paused",
    ("paused", "pause"): "paused",
    # Its time is over, or somebody wants it back before.
    ("paused", "unpause"): "raised",
    # The values came back within limits, and out again.
    ("raised", "end"): "ended",
    ("escalated", "end"): "ended",
    ("acknowledged", "end"): "resolved",
    ("acted", "end"): "resolved",
    ("paused", "end"): "resolved",
    ("ended", "resume"): "raised",
    # Acknowledged is not handled; acted on is not healed.
    ("acknowledged", "return"): "raised",
    ("acted", "return"): "raised",
    ("paused", "return"): "raised",
    # Closed by a person who has it.
    ("acknowledged", "resolve"): "resolved",
    ("acted", "resolve"): "resolved",
    ("paused", "resolve"): "resolved",
    **{(state, "dismiss"): "false-alarm" for state in sorted(OPEN)},
    **{(state, "withdraw"): "withdrawn" for state in sorted(OPEN)},
    # A worse one of the same episode takes its place.
    **{(state, "supersede"): "superseded" for state in sorted(OPEN)},
    # A slip, taken back within UNDO by who made it.
    ("acknowledged", "undo"): "raised",
    ("false-alarm", "undo"): "raised",
    ("resolved", "undo"): "ended",
}

SAYS: dict[str, str] = {
    "pending": N_("not raised yet"),
    "raised": N_("open"),
    "escalated": N_("open"),
    "acknowledged": N_("acknowledged"),
    "acted": N_("answered"),
    "paused": N_("paused"),
    "passed": N_("over before it was raised"),
    "ended": N_("over and not seen yet"),
    "resolved": N_("resolved"),
    "false-alarm": N_("a false alarm"),
    "withdrawn": N_("withdrawn"),
    "superseded": N_("followed by a worse one"),
}
"""A state as a refusal says it."""

UNDO_SECONDS = 30

REFUSALS: dict[str, str] = {
    "resolve": N_("Acknowledge the alarm first, or say that it is a false alarm."),
    "undo": N_("This can no longer be taken back."),
}


def after(state: str, event: Event) -> State:
    """The state that follows. Raises Conflict when the event has no place in this state."""
    found = TRANSITIONS.get((state, event))
    if found is None:
        remedy = REFUSALS.get(event, N_("Reload the page to see how it stands."))
        raise Conflict(
            "The alarm is %(state)s, so this cannot be done now.", where=event, remedy=remedy, state=SAYS[state]
        )
    return found


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm as others see it.

    cause: what is wrong, for all of one episode ('blood-pressure-high', 'silence:DEVICE', 'battery:DEVICE'). finding:
    rule, version, metric, value, comparison, limit, source, hazard, inputs (each with metric, value, unit, at, source),
    and how the rule looked back.
    raised_at: server time; measured_at: the device time of what raised it; breach_at: newest device time still outside.
    ended_at: when the values came back within limits. step: how far up the ladder (1 first). asked: names on that step.
    holder: who has it now. nobody: the ladder has ended, or nobody is on duty, and still nobody has seen it.
    pending_until: when its delay ends, of one that was not raised (raised_at is then when it began to wait); delays: of
    each rule that is broken. paused_until: when its pause ends.
    """

    id: str
    patient: str
    episode: str
    cause: str
    priority: Literal["high", "medium", "low"]
    state: State
    finding: dict[str, Any]
    raised_at: datetime
    measured_at: datetime
    breach_at: datetime
    ended_at: datetime | None = None
    step: int = 1
    asked: tuple[str, ...] = ()
    holder: str | None = None
    holder_name: str | None = None
    acknowledged_at: datetime | None = None
    acted_at: datetime | None = None
    closed_at: datetime | None = None
    nobody: bool = False
    pending_until: datetime | None = None
    delays: dict[str, Delay] = field(default_factory=dict)
    paused_until: datetime | None = None
    paused_reason: str | None = None
    events: tuple[AlarmEvent, ...] = ()

    @property
    def open(self) -> bool:
        """Whether it still asks something of somebody."""
        return self.state in OPEN

    @property
    def unseen(self) -> bool:
        """Whether nobody has answered."""
        return self.state in UNSEEN

    @property
    def technical(self) -> bool:
        """Whether it is about a device or a link, not about the patient's body."""
        return self.cause.startswith(TECHNICAL)

    @property
    def rank(self) -> int:
        """3 high, 2 medium, 1 low."""
        return RANK[self.priority]


@dataclass(frozen=True, slots=True)
class Delay:
    """A rule's delay while it runs. since: when Bedside first found the rule broken; at: the device time of that."""

    since: datetime
    at: datetime
    seconds: float

    @property
    def until(self) -> datetime:
        """When it is over, by the server's time."""
        return self.since + timedelta(seconds=self.seconds)

    def over(self, now: datetime, at: datetime) -> bool:
        """Whether it is over now; or by the readings themselves, of which one of device time `at` still breaks it: what
        comes as one pack is judged as if it had come one by one."""
        return now >= self.until or at - self.at >= timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class AlarmEvent:
    """One line of an alarm's history. person: who did it, None for Bedside itself."""

    at: datetime
    event: str
    state: str
    person: str | None = None
    person_name: str | None = None
    note: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def worst_first(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Unseen before held, worse before lesser, older before newer."""
    return sorted(alarms, key=lambda a: (not a.unseen, -a.rank, a.raised_at))


@dataclass(frozen=True, slots=True)
class Opening:
    """A span in which a place is watched on one weekday (ISO, 1 is Monday), in its own zone."""

    place: str
    weekday: int
    opens: time
    closes: time
    zone: str


@dataclass(frozen=True, slots=True)
class Rung:
    """Who is asked at one step of the on-call ladder. people: (id, name)."""

    step: int
    people: tuple[tuple[str, str], ...]


def rung_at(ladder: Sequence[Rung], step: int) -> tuple[Rung | None, bool]:
    """(who is asked at the nth asking, counted from 1; whether the ladder has ended). Past its end the last repeats."""
    if not ladder:
        return None, True
    return ladder[min(step, len(ladder)) - 1], step > len(ladder)


def steps_due(ladder: Sequence[Rung], first: int, late: timedelta, pace: timedelta) -> range:
    """The steps to ask now: the first, and those whose turn came while the asking was late. The end of the ladder is
    reached at most once: its last step is not told again for each time that it missed."""
    last = first + late // pace
    return range(first, max(first, min(last, len(ladder) + 1)) + 1)


DANGER_SYMPTOMS: dict[str, str] = {
    "chest-pain": N_("Chest pain"),
    "breathlessness": N_("Shortness of breath"),
    "back-pain": N_("Back pain"),
    "weakness": N_("Numbness or weakness"),
    "vision": N_("Change in vision"),
    "speech": N_("Difficulty speaking"),
}
"""Msgids. Source: American Heart Association, "When To Call 911 About High Blood Pressure". Hazard H20."""


Kind = Literal["urgent", "reading", "device"]
"""Of what people at home are told: an alarm of high priority, a lesser one, a device that needs a look."""


@dataclass(frozen=True, slots=True)
class Told:
    """An alarm that somebody at home has to read about. rule: what raised it; state: how it stands now."""

    alarm: str
    kind: Kind
    cause: str
    rule: str
    state: State
    at: datetime
    read_at: datetime | None


@dataclass(frozen=True, slots=True)
class LateFinding:
    """Readings outside a limit that came too late to raise anything live, together. finding: the worst of them, as an
    alarm tells it; count: how many; first_at, last_at: when measured; received_at: when the last of them came.
    """

    id: str
    patient: str
    cause: str
    priority: Literal["high", "medium", "low"]
    finding: dict[str, Any]
    count: int
    first_at: datetime
    last_at: datetime
    received_at: datetime
