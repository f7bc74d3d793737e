"""What a line and a kind of the work list are."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from bedside.foundation.context import Ctx
from bedside.web.kit import Page

SHOWN = 25
"""Lines of a kind on a page; the count says of all, and the kind's own page leads through them."""
FAR = 1000
"""How far the kind's own page looks, where a room is told how much to answer."""


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

    @property
    def key(self) -> str:
        """What tells it from the others of its kind."""
        return hashlib.sha256(repr((self.task, self.href, self.what)).encode()).hexdigest()[:16]

    @property
    def timed(self) -> bool:
        """Whether anything is known of when."""
        return bool(self.since or self.due or self.due_day)

    def late(self, now: datetime, today: date) -> bool:
        """Whether it should have been done, or what ends has ended."""
        return (self.due is not None and self.due < now) or (self.due_day is not None and self.due_day < today)


@dataclass(frozen=True, slots=True)
class Found:
    """The open work of one kind. total: of all, also what is not shown. beyond: a line about what cannot be shown.

    next: how the page after this one is asked for (Asked.after). full: more may wait than the room counts at once; they
    come as these are done.
    """

    items: Sequence[Item]
    total: int
    beyond: str = ""
    next: str | None = None
    full: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks: ctx, the page's reader, and gettext of their language.

    far: a kind's own page asks, which goes on to the last line. after: what an earlier Found.next said.
    """

    ctx: Ctx
    page: Page
    said: Callable[[str], str]
    far: bool = False
    after: str = ""


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
    """Another page that shows it: address and msgid."""


def found(
    asked: Asked, items: Sequence[Item], total: int | None = None, beyond: str = "", *, bound: int | None = None
) -> Found:
    """The page of them that was asked for, and how many there are. bound: how many the room answers with at most."""
    begin = _begin(items, asked.after)
    shown = items[begin : begin + SHOWN]
    rest = begin + len(shown) < len(items)
    number = len(items) if total is None else total
    next_ = f"{begin + len(shown)}.{shown[-1].key}" if shown and rest else None
    return Found(shown, number, beyond, next_, full=bound is not None and len(items) >= bound)


def _begin(items: Sequence[Item], after: str) -> int:
    """Where the page after a line begins. Where that line is done by now, a page sooner: one shown twice is no harm,
    one never shown is."""
    place, _, key = after.partition(".")
    if not place.isdecimal() or len(place) > 9:
        return 0
    at = next((n for n, one in enumerate(items) if one.key == key), None)
    return at + 1 if at is not None else max(0, min(int(place), len(items)) - SHOWN)
