"""What the room does as a whole: its sub-rooms put together, authorised."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Gone, NotFound
from bedside.monitoring.alarms.service import clockwork, life, reports
from bedside.monitoring.alarms.service.judge import judge_all
from bedside.monitoring.devices.model import Device, DeviceCredentials, NewDevice, device_resource
from bedside.monitoring.devices.service import devices as devices_service
from bedside.monitoring.devices.service import technical
from bedside.monitoring.devices.service.technical import TechnicalEvent
from bedside.monitoring.ingest.service import Arrival
from bedside.monitoring.rules import service as rules
from bedside.monitoring.rules.model.pregnancy import PREGNANCY, SNOMED, pregnant
from bedside.monitoring.rules.model.profile import youngest
from bedside.monitoring.series.model.reading import Conflict, Latest, NewReading, Reading, Series
from bedside.monitoring.series.service import landing, reading, typing
from bedside.monitoring.series.service.landing import Judge, Receipt

JUDGE: Judge = judge_all
"""What alarms do with new readings, in the transaction that stores them."""


async def land(ctx: Ctx, arrivals: Sequence[Arrival]) -> list[Receipt]:
    """Store and judge packs in ctx's transaction: the one direct path."""
    return await landing.land(ctx, arrivals, JUDGE)


async def add_device(ctx: Ctx, new: NewDevice) -> DeviceCredentials:
    """A device with MQTT credentials, live at once; the password is told here and never again."""
    if new.patient is not None:
        await records.read(ctx, "Patient", new.patient)
        await access.authorise(ctx, new.patient, "U", what="Device")
    made = await devices_service.add_device(ctx, new)
    await records.write_governed(ctx, device_resource(made.device, new.kind, new.patient), room="monitoring")
    if new.patient is not None:
        await clockwork.expect_device(ctx, new.patient, made.device, new.kind)
    return made


async def assign_device(
    ctx: Ctx, device: str, patient: str | None, *, since: datetime | None = None, until: datetime | None = None
) -> int:
    """Give a device to a patient (None: nobody) from a time; returns how many waiting readings became theirs.

    Whoever takes it from a patient must be allowed to act for that one too. Raises NotFound, Forbidden, Conflict.
    """
    if patient is not None:
        await records.read(ctx, "Patient", patient)
    holders = await clockwork.expecting(ctx, device)
    for before in holders:
        await access.authorise(ctx, before, "U", what="Device")
    waiting = await typing.assign(ctx, device, patient, since, until, JUDGE)
    for before in holders:
        if before != patient:
            await clockwork.forget_device(ctx, before, device)
    held = [] if patient is None else await devices_service.devices(ctx, patient)
    for one in held:
        if patient is not None and one.device == device:
            await clockwork.expect_device(ctx, patient, device, one.kind)
    now = ctx.clock.now()
    if (since is None or since <= now) and (until is None or until > now):
        kind = await devices_service.kind_of(ctx, device)
        await records.write_governed(ctx, device_resource(device, kind, patient), room="monitoring")
    return waiting


async def acquaint(ctx: Ctx, patient: str) -> None:
    """Take from the record what decides which rules may judge a patient: birth date, and a pregnancy that is recorded.

    A pregnancy that staff told the rules of stays until the record knows one and knows it to be over.
    """
    try:
        person = await records.read(ctx, "Patient", patient)
    except (Gone, NotFound):
        return
    codes = ",".join(f"{SNOMED}|{code}" for code in PREGNANCY)
    found = await records.search(ctx, "Condition", [("patient", patient), ("code", codes), ("_count", "100")])
    expecting = pregnant(found.entries)
    changes: dict[str, Any] = {} if expecting is None else {"pregnant": expecting}
    if "birthDate" in person:
        changes["birth_date"] = youngest(str(person["birthDate"]))
    await rules.set_profile(ctx, patient, reason="from the record", **changes)


async def revoke_device(ctx: Ctx, device: str) -> None:
    """It may not sign in again, and what it still sends is refused. Raises NotFound."""
    await access.authorise(ctx, None, "U", what="Device")
    await devices_service.revoke(ctx, device)


async def devices(ctx: Ctx, patient: str) -> list[Device]:
    """What the patient holds now."""
    await access.authorise(ctx, patient, "R", what="Device")
    return await devices_service.devices(ctx, patient)


async def latest(ctx: Ctx, patients: Sequence[str]) -> dict[str, list[Latest]]:
    """The newest value of each metric, with its age and whether it is stale."""
    return await reading.latest(ctx, patients)


async def series(ctx: Ctx, patient: str, metric: str, since: datetime, until: datetime) -> Series:
    """One metric over a span of device time, with its gaps."""
    return await reading.series(ctx, patient, metric, since, until)


async def conflicts(ctx: Ctx, patient: str) -> list[Conflict]:
    """Moments that were sent with two values."""
    return await reading.conflicts(ctx, patient)


async def enter_reading(ctx: Ctx, new: NewReading) -> Reading:
    """What a person typed; with `also`, further values of the same moment. Returns the first."""
    return (await typing.enter(ctx, new, JUDGE))[0]


async def enter_readings(ctx: Ctx, new: NewReading) -> list[Reading]:
    """The same, returning all."""
    return await typing.enter(ctx, new, JUDGE)


async def withdraw(ctx: Ctx, reading_id: str, reason: str) -> list[Reading]:
    """ "That was not me": the reading reads entered-in-error from now on, and its alarm is told."""
    gone = await typing.withdraw(ctx, reading_id, reason)
    newest = (await reading.latest(ctx, [gone[0].patient]))[gone[0].patient]
    for one in gone:
        await reports.reading_withdrawn(ctx, one.patient, one.id, newest, reason.strip())
    await life.redraw(ctx, gone[0].patient)
    return gone


async def technical_events(ctx: Ctx, *, device: str | None = None, unseen: bool = True) -> list[TechnicalEvent]:
    """What went wrong on the way, what needs a hand first. For staff: of the patients they may see, and of nobody's."""
    await access.require(ctx, "nurse", "clinician", "administrator")
    mine = await access.visible(ctx, "Device")
    found = await technical.events(ctx, device=device, unseen=unseen)
    return [event for event in found if event.patient is None or mine is None or event.patient in mine]


async def technical_event_seen(ctx: Ctx, event: int) -> None:
    """The actor has seen it. Raises NotFound when there is no such unseen event, or none that the actor may see."""
    mine = await technical_events(ctx)
    if all(one.id != event for one in mine) or not await technical.seen(ctx, event):
        raise NotFound("There is no such event that waits to be seen.")
