"""Which language a page speaks, and its catalogue. English msgids; Spanish: python -m tools.messages."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path

from starlette.requests import HTTPConnection

LOCALE = Path(__file__).parent.parent / "locale"
LANGUAGES = {"en": "English", "es": "Español"}
"""Code to the language's own name."""


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The compiled catalogue; English is its own msgids. An uncompiled Spanish one falls back to English."""
    return gettext.translation("bedside", LOCALE, [language], fallback=True)


def language_of(connection: HTTPConnection, fallback: str = "en") -> str:
    """The person's own (state.language, set with the session), else a cookie's, the browser's, the clinic's."""
    for wanted in (getattr(connection.state, "language", None), connection.cookies.get("language")):
        if wanted and wanted[:2] in LANGUAGES:
            return str(wanted[:2])
    return accepted(connection.headers.get("accept-language", "")) or fallback


def accepted(header: str) -> str | None:
    """The best of ours in an Accept-Language header (RFC 9110 12.5.4), None when it names none of them."""
    best: tuple[float, str] | None = None
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        code = tag.strip().lower()[:2]
        if code in LANGUAGES and weight > 0 and (best is None or weight > best[0]):
            best = (weight, code)
    return best[1] if best else None
