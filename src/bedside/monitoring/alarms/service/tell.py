"""Who is told of an alarm, without a word about anybody's health: the notice says to sign in."""

from __future__ import annotations

from collections.abc import Iterable

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.model import Alarm


async def staff(ctx: Ctx, alarm: Alarm, people: Iterable[str]) -> None:
    """Those who are asked now. Of a high alarm at any hour; of a lesser one too while they are on duty."""
    for person in people:
        await messaging.send(ctx, messaging.Notice(person, "monitoring.waiting", urgent=alarm.priority == "high"))


async def holder(ctx: Ctx, alarm: Alarm, person: str) -> None:
    """Whom an alarm was handed to."""
    await messaging.send(ctx, messaging.Notice(person, "monitoring.handed", urgent=alarm.priority == "high"))


async def administrators(ctx: Ctx) -> list[str]:
    """That nobody answered; the names of who was told."""
    told = await access.people(ctx, role="administrator")
    for person in told:
        await messaging.send(ctx, messaging.Notice(person.id, "monitoring.unanswered"))
    return [person.name for person in told]


async def deaf(ctx: Ctx) -> None:
    """That no readings can come in: whoever is on duty, and the administrators."""
    on_duty = await access.on_duty(ctx, place=None, role=None, at=ctx.clock.now())
    administrators = await access.people(ctx, role="administrator")
    for person in dict.fromkeys([*(one.person for one in on_duty), *(one.id for one in administrators)]):
        await messaging.send(ctx, messaging.Notice(person, "monitoring.deaf"))


async def outage(ctx: Ctx, place: str | None, patient: str) -> None:
    """That many devices fell silent at once: whoever is on duty in the ward, or where the patient is watched, and the
    administrators."""
    places: list[str | None] = [place] if place else [stay.place for stay in await access.places_of(ctx, patient)]
    now = ctx.clock.now()
    found = [one for where in places or [None] for one in await access.on_duty(ctx, place=where, role=None, at=now)]
    administrators = await access.people(ctx, role="administrator")
    for person in dict.fromkeys([*(one.person for one in found), *(one.id for one in administrators)]):
        await messaging.send(ctx, messaging.Notice(person, "monitoring.outage"))
