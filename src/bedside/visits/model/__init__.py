"""What a visit is: its states, links, notes and places; pure."""

from bedside.visits.model.link import Link, matches
from bedside.visits.model.note import Amendment, Note
from bedside.visits.model.places import Country, countries, country
from bedside.visits.model.visit import DOORS, MINUTES, Message, Place, Presence, Status, Visit, VisitEvent, next_status

__all__ = [
    "DOORS",
    "MINUTES",
    "Amendment",
    "Country",
    "Link",
    "Message",
    "Note",
    "Place",
    "Presence",
    "Status",
    "Visit",
    "VisitEvent",
    "countries",
    "country",
    "matches",
    "next_status",
]
