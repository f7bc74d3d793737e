"""What a patient at home, and whom they chose, are told of an alarm: that there is something to read, and no more.

The notice carries nothing of health; what was seen and what to do stands on a page behind the sign-in. Hazard H99.
"""

from __future__ import annotations

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.model import Alarm, Kind, Told
from bedside.monitoring.alarms.service import functions
from bedside.monitoring.alarms.store import told as store
from bedside.monitoring.rules.model import tables

SERIOUS: dict[Kind, tuple[Kind, ...]] = {
    "urgent": ("urgent",),
    "reading": ("reading", "urgent"),
    "device": ("device",),
}
"""Notices of which kinds stand for one of this kind: nobody is called to the same page twice, but to a worse matter."""
READ, CHECK = "monitoring.read", "monitoring.check-device"
BY_THEMSELVES = "symptoms"
"""A cause that the patient reported: the page they reported it on has told them already."""


async def tell(ctx: Ctx, alarm: Alarm) -> None:
    """The patient and the caregivers they chose, of an alarm that was raised; nobody of a patient on a ward, and nobody
    where alarms are off. Those who have a notice of this kind to read, or were told of this cause a short while ago,
    get no other: the page shows them this alarm too.
    """
    if not await functions.alarms_on(ctx) or await _on_a_ward(ctx, alarm.patient):
        return
    kind: Kind = "device" if alarm.technical else "urgent" if alarm.priority == "high" else "reading"
    now = ctx.clock.now()
    row = tables.home(now.date())
    template = CHECK if kind == "device" else READ
    for person in await _whom(ctx, alarm):
        known = await store.knows(
            ctx.sql,
            ctx.tenant,
            alarm,
            person,
            SERIOUS[kind],
            unread_since=now - row.unread,
            same_since=now - row.repeat,
        )
        notice = None
        if not known:
            notice = await messaging.send(ctx, messaging.Notice(person, template, urgent=kind == "urgent"))
        await store.insert(ctx.sql, ctx.tenant, alarm, person, kind, now, notice)


async def _on_a_ward(ctx: Ctx, patient: str) -> bool:
    here = {stay.place for stay in await access.places_of(ctx, patient)}
    return bool(here) and any(place.kind == "ward" for place in await access.places(ctx) if place.id in here)


async def _whom(ctx: Ctx, alarm: Alarm) -> list[str]:
    found = await access.caregivers.alerted(ctx, alarm.patient)
    own = await access.person_of_patient(ctx, alarm.patient)
    if own is not None and alarm.cause != BY_THEMSELVES:
        found.insert(0, own.id)
    return found


async def take_back(ctx: Ctx, alarm: Alarm) -> None:
    """It was no alarm, or the device is heard again: a notice that has not gone yet does not go, unless it stands for
    another alarm too. Who was told already reads how it ended."""
    for row in await store.of_alarm(ctx.sql, ctx.tenant, alarm.id):
        if row["read_at"] is not None:
            continue
        notice = row["notice"]
        gone = (
            notice is not None
            and not await store.hand_on(ctx.sql, ctx.tenant, alarm, row["person"], row["kind"], notice)
            and not await messaging.withdraw(ctx, notice)
        )
        if not gone:
            await store.drop(ctx.sql, ctx.tenant, alarm.id, row["person"])


async def told(ctx: Ctx, patient: str) -> list[Told]:
    """What the actor has to read about a patient's alarms, and lately had; unread first. Raises Forbidden."""
    await access.authorise(ctx, patient, "R", what="alarm")
    now = ctx.clock.now()
    since = now - tables.home(now.date()).listed
    return await store.of_person(ctx.sql, ctx.tenant, ctx.actor.id, patient, since)


async def told_read(ctx: Ctx, patient: str) -> None:
    """The actor has read it all. Raises Forbidden."""
    await access.authorise(ctx, patient, "R", what="alarm")
    await store.read(ctx.sql, ctx.tenant, ctx.actor.id, patient, ctx.clock.now())
    await messaging.opened(ctx, READ, CHECK)
    ctx.trail.wrote = True
