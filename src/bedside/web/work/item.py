"""What a line and a kind of the work list are."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bedside.foundation.context import Ctx
from bedside.web.kit import Page

SHOWN = 25
"""Lines of a kind that are shown; the count says of all."""


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of work. what: in the reader's language. href: where it is done. patient: whose, by id, or None.

    since: when it came; due, due_day: by when it is to be done, or what ends then. mark: an icon's name and a word, in
    the reader's language. detail: a second, quieter line. task: a Task that is ticked off on the list itself.
    """

    what: str
    href: str | None
    patient: str | None = None
    since: datetime | None = None
    due: datetime | None = None
    due_day: date | None = None
    mark: tuple[str, str] | None = None
    detail: str = ""
    task: str | None = None

    def late(self, now: datetime, today: date) -> bool:
        """Whether it should have been done, or what ends has ended."""
        return (self.due is not None and self.due < now) or (self.due_day is not None and self.due_day < today)


@dataclass(frozen=True, slots=True)
class Found:
    """The open work of one kind. total: of all, also what is not shown. beyond: a line about what cannot be shown."""

    items: Sequence[Item]
    total: int
    beyond: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks: ctx, the page's reader, and gettext of their language."""

    ctx: Ctx
    page: Page
    said: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of work. title, none: msgids, of the heading and of "nothing of this is open". roles: whose it is.

    find: asks the kind's own room, in a number of questions that does not grow with what there is.
    """

    key: str
    title: str
    icon: str
    roles: frozenset[str]
    find: Callable[[Asked], Awaitable[Found]] = field(repr=False)
    more: tuple[str, str] | None = None
    """Where all of it is: address and msgid."""


def found(items: Sequence[Item], total: int | None = None, beyond: str = "") -> Found:
    """Those that are shown, and how many there are."""
    return Found(items[:SHOWN], len(items) if total is None else total, beyond)
