"""One thing that was looked at, in words for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from bedside.foundation.errors import BedsideError

State = Literal["good", "note", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """note: works, but a person should know; bad: something does not work.

    msgid, remedy_msgid: English, and msgids of the catalogue; what changes in them stands as %(name)s and comes in
    values. A timedelta in these is an age.
    """

    state: State
    msgid: str
    remedy_msgid: str = ""
    values: Mapping[str, object] = field(default_factory=dict)

    @property
    def what(self) -> str:
        """In English, for a terminal."""
        return self.said(str, age)[0]

    @property
    def remedy(self) -> str:
        """What to do, in English; empty where nothing is to be done."""
        return self.said(str, age)[1]

    def said(self, translate: Callable[[str], str], span: Callable[[timedelta], str]) -> tuple[str, str]:
        """What, and what to do, in the language of `translate`."""
        values = {
            name: span(one) if isinstance(one, timedelta) else translate(one) if isinstance(one, str) and one else one
            for name, one in self.values.items()
        }
        what, remedy = translate(self.msgid), translate(self.remedy_msgid) if self.remedy_msgid else ""
        return (what % values, remedy % values) if values else (what, remedy)


def good(what: str, **values: object) -> Finding:
    """All is well."""
    return Finding("good", what, values=values)


def note(what: str, remedy: str = "", **values: object) -> Finding:
    """It works, but a person should know."""
    return Finding("note", what, remedy, values)


def bad(what: str, remedy: str = "", **values: object) -> Finding:
    """It does not work."""
    return Finding("bad", what, remedy, values)


def failed(error: BedsideError) -> Finding:
    """What was refused while looking."""
    return Finding("bad", error.msgid, error.remedy_msgid or "", error.values)


def age(span: timedelta) -> str:
    """`40 s`, `12 min`, `5 h`, `3 days`."""
    seconds = max(span.total_seconds(), 0)
    for least, size, unit in ((172800, 86400, "days"), (7200, 3600, "h"), (120, 60, "min")):
        if seconds >= least:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
