"""What the check at signing found, in the reader's language: its msgid, with the words among its values told too."""

from __future__ import annotations

from bedside.foundation.errors import listed
from bedside.prescribing import Check
from bedside.web.kit.languages import catalogue


def said(found: Check, language: str) -> str:
    """The finding. One that was kept before it had a msgid stays English."""
    return _said(found.says, found, language) if found.says else found.text


def source(found: Check, language: str) -> str:
    """Where it comes from: a document's title and section as they are, our own tables in the reader's language."""
    return _said(found.origin, found, language) if found.origin else found.source


def _said(msgid: str, found: Check, language: str) -> str:
    words = catalogue(language).gettext
    # gettext("") would be the catalogue's own header.
    values = {name: listed(value, lambda text: words(text) if text else text) for name, value in found.values.items()}
    return words(msgid) % values if "%(" in msgid else words(msgid)
