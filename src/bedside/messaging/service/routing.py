"""By which channel a notice goes: as it was asked for, as its reader chose, as it can."""

from __future__ import annotations

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.messaging import settings, store
from bedside.messaging.model.notice import CHANNELS, Channel

PEOPLE = ("patient", "caregiver", "clinician", "nurse", "pharmacist", "administrator", "privacy-officer")
"""All but a display: nobody tells a wall anything."""


def address(person: access.Person, channel: Channel) -> str | None:
    """Where a channel reaches somebody."""
    return (person.email if channel == "email" else person.phone) or None


async def route(ctx: Ctx, person: access.Person, asked: Channel | None) -> tuple[Channel, str] | None:
    """The first channel that has an address and leads out; else the first with an address; else None.

    Without a word of theirs: the e-mail if there is one, else the telephone.
    """
    first = asked or await store.told_by(ctx.sql, ctx.tenant, person.id) or "email"
    order = [first, *(one for one in CHANNELS if one != first)]
    found = [(one, where) for one in order if (where := address(person, one))]
    chosen = settings.of(ctx.database)
    return next((one for one in found if chosen.leads_out(one[0])), found[0] if found else None)


async def told_by(ctx: Ctx) -> Channel | None:
    """By which channel the actor chose to be told; None: as it can."""
    return await store.told_by(ctx.sql, ctx.tenant, ctx.actor.id)


async def choose(ctx: Ctx, channel: Channel | None) -> None:
    """The actor's own choice. Raises Forbidden; Invalid where they have no such address."""
    await access.require(ctx, *PEOPLE)
    if channel is not None and (
        channel not in CHANNELS or not address(await access.person(ctx, ctx.actor.id), channel)
    ):
        raise Invalid("The clinic has no such address of yours.", where="channel")
    await store.put_told_by(ctx.sql, ctx.tenant, ctx.actor.id, channel)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{ctx.actor.id}")
