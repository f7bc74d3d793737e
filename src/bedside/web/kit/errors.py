"""A refusal in its reader's language. Rooms raise English msgids and values; a page says them by its catalogue.

`page.text` turns every BedsideError it is handed into what it says here, so that no template can show the English one.
"""

from __future__ import annotations

from dataclasses import dataclass

from bedside.foundation.errors import BedsideError, listed
from bedside.web.kit.languages import catalogue


@dataclass(frozen=True, slots=True)
class Told:
    """What a page shows of a BedsideError: message and remedy in the reader's language, the rest as it was raised."""

    message: str
    remedy: str | None
    where: str | None
    status: int
    code: str


def told(error: BedsideError, language: str) -> Told:
    """error in language. Values that the catalogue knows as words ("cancelled") are translated too."""
    words = catalogue(language).gettext
    # gettext("") would be the catalogue's own header.
    values = {name: listed(value, lambda text: words(text) if text else text) for name, value in error.values.items()}

    def said(msgid: str) -> str:
        return words(msgid) % values if values else words(msgid)

    remedy = said(error.remedy_msgid) if error.remedy_msgid else None
    return Told(said(error.msgid) if error.msgid else "", remedy, error.where, error.status, error.code)
