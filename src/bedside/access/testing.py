"""Builders for tests of any room: people, and the ctx that each would have."""

from __future__ import annotations

from bedside.access.model.people import NewPerson, Person
from bedside.access.service.actors import actor_of, purpose_of
from bedside.access.service.people import add_person
from bedside.access.service.unit import work
from bedside.foundation.context import Actor, Ctx


def acting(ctx: Ctx, person: Person) -> Ctx:
    """The ctx that this person's session would make."""
    return ctx.with_(actor=actor_of(person, "test"), purpose=purpose_of(person.roles), tx=None)


def client(ctx: Ctx, *scopes: str) -> Ctx:
    """The ctx of a backend client with these scopes."""
    return ctx.with_(actor=Actor("client", "test-client", "test client", scopes=frozenset(scopes)), tx=None)


async def someone(ctx: Ctx, role: str, *, patient: str | None = None, name: str | None = None) -> Person:
    """Add a person with one role, in a work of its own. patient: the id of their record, for the role patient."""
    async with work(ctx, "added a person for a test") as inner:
        return await add_person(inner, NewPerson(name=name or f"Test {role}", roles=frozenset({role}), patient=patient))
