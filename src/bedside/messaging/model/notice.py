"""A notice, as asked for and as sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Channel = Literal["email", "phone"]
CHANNELS: tuple[Channel, ...] = ("email", "phone")
CLOSED = ("told", "needless", "again", "other")
"""What somebody says who has seen to notices that did not arrive: they told them themselves, nobody needs it any more,
it was sent again, another way."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What to tell somebody. template: of TEMPLATES. data: only what the template names, and nothing of health.

    channel: None: as the person chose, else the e-mail if there is one, else the telephone. id: given by the asker,
    makes asking twice harmless. urgent: quiet hours do not hold it up; some templates are so by themselves
    (templates.URGENT). everywhere: by each channel that reaches them, one of which may be in the wrong hands.
    """

    person: str
    template: str
    data: Mapping[str, str | int] = field(default_factory=dict)
    channel: Channel | None = None
    id: str | None = None
    urgent: bool = False
    everywhere: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice and what became of it.

    state: waiting (queued), sent (a server took it over), delivered (somebody says so), refused (for good), bounced,
    failed (tried for long enough), held where no channel leads to the person, or withdrawn.
    due: until when it waits, of one that came in quiet hours. reason: of REASONS. next_try: of one that is retried.
    asks: until when it is to be opened, of one that asks for an act; unanswered: it was not.
    """

    id: str
    person: str
    template: str
    channel: str
    address: str | None
    subject: str
    text: str | None
    created: datetime
    state: str
    due: datetime | None = None
    urgent: bool = False
    language: str = "en"
    reason: str | None = None
    tries: int = 0
    begun: datetime | None = None
    next_try: datetime | None = None
    settled: datetime | None = None
    token: str | None = None
    asks: datetime | None = None
    opened: datetime | None = None
    unanswered: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How notices stand, in numbers. last: when one last went out; waiting: queued and due; oldest: since when."""

    last: datetime | None
    waiting: int
    oldest: datetime | None
    failing: int
