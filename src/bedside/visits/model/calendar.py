"""Visits as a calendar file (iCalendar, RFC 5545): when, for how long and where to join; nothing of health. Pure.

Times are instants in UTC, so that a calendar shows them right on either side of a change of the clocks, in whatever
zone its owner is. A name of the other one is nothing for a calendar that others look into (hazard H143).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta

import msgspec
from icalendar import Calendar, Event

from bedside.visits.model.visit import Visit

PRODUCT = "-//Bedside//Visits//EN"
AGAIN = timedelta(hours=1)
"""How often a calendar that subscribes should look."""


class CalendarWords(msgspec.Struct, frozen=True):
    """What stands in a file, in the language of whose it is. text holds {link}."""

    name: str
    title: str
    text: str


WORDS = {
    "en": CalendarWords("Video visits", "Video visit", "Join, move or cancel it here: {link}"),
    "es": CalendarWords("Visitas por vídeo", "Visita por vídeo", "Entre, cámbiela o anúlela aquí: {link}"),
}
PATIENTS_TEXT = {
    "en": "Join here: {link}\nThe room opens 30 minutes before. If you cannot come, ring the clinic.",
    "es": "Entre aquí: {link}\nLa sala se abre 30 minutos antes. Si no puede venir, llame a la clínica.",
}


def uid(visit: Visit) -> str:
    """The same for ever, whatever moves: by it a calendar knows its entry again."""
    return f"{visit.id}@visit.bedside"


def calendar(visits: Sequence[Visit], person: str, language: str, base_url: str, *, home: bool = False) -> bytes:
    """The planned ones of these as a file for this person: the patient of each, its clinician, or (home) somebody whom
    the patient lets in."""
    said = WORDS.get(language[:2], WORDS["en"])
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("calscale", "GREGORIAN")
    made.add("x-wr-calname", said.name)
    made.add("name", said.name)
    made.add("refresh-interval", AGAIN, parameters={"VALUE": "DURATION"})
    for visit in visits:
        if visit.planned_at is not None:
            made.add_component(_event(visit, _own(visit, person, home), language, base_url, said))
    return bytes(made.to_ical())


def _own(visit: Visit, person: str, home: bool) -> bool:
    """Whether they come in by the patient's door."""
    return visit.person == person or (home and visit.clinician != person)


def _event(visit: Visit, own: bool, language: str, base_url: str, said: CalendarWords) -> Event:
    link = f"{base_url.rstrip('/')}/{'visit' if own else 'visits'}/{visit.id}"
    text = PATIENTS_TEXT.get(language[:2], PATIENTS_TEXT["en"]) if own else said.text
    planned = (visit.planned_at or visit.asked_at).astimezone(UTC)
    changed = (visit.planned_changed or visit.asked_at).astimezone(UTC)
    made = Event()
    made.add("uid", uid(visit))
    # When this version was made, not when the file was: the same visit is the same bytes.
    made.add("dtstamp", changed)
    made.add("last-modified", changed)
    made.add("sequence", visit.planned_changes)
    made.add("dtstart", planned)
    made.add("dtend", planned + timedelta(minutes=visit.planned_minutes or 30))
    made.add("summary", said.title)
    made.add("description", text.replace("{link}", link))
    made.add("url", link)
    made.add("location", link)
    made.add("class", "PRIVATE")
    made.add("status", "CANCELLED" if visit.status == "cancelled" else "CONFIRMED")
    return made
