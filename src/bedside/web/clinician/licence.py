"""What the licence table answered, in the reader's words: beside a visit, and where something of it is signed."""

from __future__ import annotations

from babel import Locale

from bedside import access, visits
from bedside.web.kit import translator
from bedside.web.kit.page import Page
from bedside.web.kit.written import day


def place_name(jurisdiction: str, language: str) -> str:
    """A country or a state of it by its code ("US-NY", "DE"), as it is called; a code that no table knows stays one."""
    code, _, state = jurisdiction.partition("-")
    known = visits.country(code)
    if state:
        return known.subdivisions.get(state, jurisdiction) if known else jurisdiction
    return str(Locale(language).territories.get(code) or jurisdiction)


def licence_words(decision: access.LicenceDecision, page: Page) -> str:
    """What the licence table answered: places by their names, a last day as days are written."""
    _ = translator(page.language)
    values = {name: _(value) if value else value for name, value in decision.values.items()}
    if "place" in values:
        values["place"] = place_name(decision.values["place"], page.language)
    if "until" in values:
        values["until"] = day(decision.values["until"], page.language, page.zone)
    said = _(decision.why) % values
    return f"{said} {_('Reason: %(reason)s') % {'reason': decision.reason}}" if decision.reason else said
