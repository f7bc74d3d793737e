"""From a person to the actor of a ctx."""

from __future__ import annotations

from bedside.access.model.people import STAFF, Person
from bedside.foundation.context import Actor, Purpose


def actor_of(person: Person, session: str | None) -> Actor:
    """The actor that a person is."""
    return Actor("person", person.id, person.name, person.roles, person.reference, session=session)


def purpose_of(roles: frozenset[str]) -> Purpose:
    """What somebody of these roles comes for, unless they say otherwise."""
    if roles & {"clinician", "nurse", "pharmacist", "display"}:
        return "TREAT"
    if roles & STAFF:
        return "HOPERAT"
    return "PATRQT"
