"""A prescription's dosage in its reader's language: the words of prescribing's tables, marked and put together."""

from __future__ import annotations

from collections.abc import Iterable

from bedside.prescribing import FREQUENCIES, Draft, Prescription
from bedside.web.kit.languages import catalogue
from bedside.web.kit.places import N_

UNITS = {
    "tablet": (N_("%(n)s tablet"), N_("%(n)s tablets")),
    "capsule": (N_("%(n)s capsule"), N_("%(n)s capsules")),
    "puff": (N_("%(n)s puff"), N_("%(n)s puffs")),
    "drop": (N_("%(n)s drop"), N_("%(n)s drops")),
    "mL": (N_("%(n)s mL"), N_("%(n)s mL")),
    "mg": (N_("%(n)s mg"), N_("%(n)s mg")),
}
COUNTED = {
    "tablet": N_("tablet"),
    "capsule": N_("capsule"),
    "puff": N_("puff"),
    "mL": N_("mL"),
    "mg": N_("mg"),
    "drop": N_("drop"),
}
"""The same units where one is chosen from a list."""
WAYS = {
    "oral": N_("by mouth"),
    "inhaled": N_("breathed in"),
    "sublingual": N_("under the tongue"),
}
OFTEN = (
    N_("once a day"),
    N_("twice a day"),
    N_("three times a day"),
    N_("four times a day"),
    N_("every 8 hours"),
    N_("every 6 hours"),
    N_("once a week"),
)
"""The words of prescribing.FREQUENCIES; tests/web/patient/test_dosage.py holds the two together."""


def dosage(draft: Draft, language: str) -> str:
    """ "1 tablet, by mouth, once a day, for 30 days": a word that no table knows stays as the clinician chose it."""
    words = catalogue(language)
    one, many = UNITS.get(draft.unit, ("%(n)s " + draft.unit,) * 2)
    parts = [
        words.gettext(one if draft.dose == 1 else many) % {"n": f"{draft.dose:g}"},
        words.gettext(WAYS.get(draft.route, draft.route)),
        words.gettext(FREQUENCIES[draft.frequency][0]),
    ]
    if draft.as_needed:
        parts.append(words.gettext("as needed"))
    parts.append(words.ngettext("for %(n)s day", "for %(n)s days", draft.days) % {"n": draft.days})
    return ", ".join(parts)


def dosages(prescriptions: Iterable[Prescription], language: str) -> dict[str, str]:
    """Each one's dosage by its id."""
    return {one.id: dosage(one.draft, language) for one in prescriptions}
