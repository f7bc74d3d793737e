"""A notice, as asked for and as sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Channel = Literal["email", "phone"]


@dataclass(frozen=True, slots=True)
class Notice:
    """What to tell somebody. template: of TEMPLATES. data: only what the template names, and nothing of health.

    channel: None: the e-mail if there is one, else the telephone. id: given by the asker, makes asking twice harmless.
    urgent: quiet hours do not hold it up; some templates are so by themselves (templates.URGENT).
    """

    person: str
    template: str
    data: Mapping[str, str | int] = field(default_factory=dict)
    channel: Channel | None = None
    id: str | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """A notice as the outbox shows it. state: waiting, sent, held where no channel leads to the person, or withdrawn.

    due: until when it waits, of one that came in quiet hours.
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
