"""Video visits: asked for, handed over, joined, held, noted.

Owns: visits, links, presence, chat, notes (of a visit, or of their own), the links by which calendars follow, and in
the record the Encounter and DocumentReference that carry its identifiers. Refuses: a clinician without a licence for
the patient's place (unless a reason is written where the table lets one), a patient who has not said where they are,
and any change of a signed note.
"""

from bedside.visits.model import MINUTES, Country, Message, Note, Place, Presence, Visit, VisitEvent, countries, country
from bedside.visits.service import calendars, drafts, notes
from bedside.visits.service.asking import (
    ask,
    cancel,
    clinicians_on_duty,
    ever_held,
    get,
    hand,
    history,
    invite,
    mine,
    of_patient,
    take,
    under_way,
)
from bedside.visits.service.joining import arrive, came_back, confirm, elsewhere, guest, look, renew
from bedside.visits.service.leaving import VisitsInHand, hand_on, in_hand
from bedside.visits.service.planning import note_change, plan
from bedside.visits.service.running import chat, end, licence_of, override, presence
from bedside.visits.service.signing import licence_to_sign, sign_under_licence

__all__ = [
    "MINUTES",
    "Country",
    "Message",
    "Note",
    "Place",
    "Presence",
    "Visit",
    "VisitEvent",
    "VisitsInHand",
    "arrive",
    "ask",
    "calendars",
    "came_back",
    "cancel",
    "chat",
    "clinicians_on_duty",
    "confirm",
    "countries",
    "country",
    "drafts",
    "elsewhere",
    "end",
    "ever_held",
    "get",
    "guest",
    "hand",
    "hand_on",
    "history",
    "in_hand",
    "invite",
    "licence_of",
    "licence_to_sign",
    "look",
    "mine",
    "note_change",
    "notes",
    "of_patient",
    "override",
    "plan",
    "presence",
    "renew",
    "sign_under_licence",
    "take",
    "under_way",
]
