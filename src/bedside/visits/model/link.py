"""A visit's link: good for one device once somebody on it has said who they are, and dead after five wrong answers."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, timedelta

import msgspec

WRONG_ANSWERS = 5
LIFE = timedelta(hours=24)


class Link(msgspec.Struct, frozen=True):
    """A link without its secret. device: whether a device has been bound to it."""

    visit: str
    bound: bool
    expires_at: datetime
    wrong: int
    dead_at: datetime | None

    def usable(self, now: datetime) -> bool:
        """Whether it can still be confirmed, or used by the device that confirmed it."""
        return self.dead_at is None and now < self.expires_at


def _words(name: str) -> frozenset[str]:
    folded = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return frozenset("".join(c if c.isalnum() else " " for c in folded).split())


def matches(name: str, born: date, answer: str, answered: date) -> bool:
    """Whether somebody who says answer and answered is this person: birth date exact, and in any order and spelling of
    accents at least two words of the name (all of them where it has fewer)."""
    own, said = _words(name), _words(answer)
    return born == answered and len(own & said) >= min(2, len(own)) and bool(own & said)
