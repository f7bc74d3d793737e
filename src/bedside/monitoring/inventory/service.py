"""Looking after devices: the list, one device's page, a new password, and its end.

Whoever looks after patients sees the devices of theirs and those that nobody holds; an administrator sees every device
and no patient. What is not theirs is refused in the words that what is not there gets.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict
from bedside.monitoring.alarms.service import clockwork
from bedside.monitoring.alarms.service.judge import judge_all
from bedside.monitoring.devices.model import Device, DeviceCredentials, device_resource
from bedside.monitoring.devices.service import devices, gateways, technical
from bedside.monitoring.devices.service.technical import TechnicalEvent
from bedside.monitoring.devices.store import devices as store
from bedside.monitoring.inventory.model import DeviceEnds, LastPack, Stay
from bedside.monitoring.series.model.reading import Latest
from bedside.monitoring.series.service import reading, typing
from bedside.monitoring.series.store import packs

ROLES: Final = ("nurse", "clinician", "administrator")
MOST: Final = 500
"""Devices in the list."""
TROUBLES: Final = 6
PASSWORDS: Final = timedelta(days=14)
STAYS: Final = timedelta(days=3)
"""How long before its end a device's password and its stay are told; site choice."""


class Sheet(msgspec.Struct, frozen=True):
    """All there is to know of one device. stays: the newest first. waiting: readings that no patient held it for.

    latest: of the patient who holds it now, what came of this device. gateway: by which it comes, and when that was
    last heard. trouble: the newest technical events, seen or not.
    """

    device: Device
    stays: list[Stay]
    last: LastPack | None
    waiting: int
    latest: list[Latest]
    trouble: list[TechnicalEvent]
    gateway: tuple[str, datetime] | None = None


async def inventory(ctx: Ctx) -> list[Device]:
    """Every device with credentials that the asker may know of, those in use first. patient: who holds it now; None
    too where the asker may not know who. Raises Forbidden."""
    await access.require(ctx, *ROLES)
    found = [Device(**row) for row in await store.all_of(ctx.sql, ctx.tenant, ctx.clock.now(), None, MOST)]
    mine = await access.visible(ctx, "Device")
    every = "administrator" in ctx.actor.roles
    shown = [one for one in found if every or one.patient is None or mine is None or one.patient in mine]
    for one in shown:
        if one.patient is not None and (mine is None or one.patient in mine):
            ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return [one if mine is None or one.patient in mine else _nobodys(one) for one in shown]


async def ending(ctx: Ctx) -> list[DeviceEnds]:
    """Devices in use whose password ends within 14 days or has ended, and those that somebody holds until a moment of
    the next 3 days: the earliest first. Of whom the asker may not know, nobody is named; whom a clinician or nurse may
    not see is left out. Raises Forbidden."""
    await access.require(ctx, *ROLES)
    now = ctx.clock.now()
    found = [DeviceEnds(**row) for row in await store.ending(ctx.sql, ctx.tenant, now, now + PASSWORDS, now + STAYS)]
    mine = await access.visible(ctx, "Device")
    every = "administrator" in ctx.actor.roles
    shown = [one for one in found if every or one.patient is None or mine is None or one.patient in mine]
    for one in shown:
        if one.patient is not None and (mine is None or one.patient in mine):
            ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return [one if mine is None or one.patient in mine else msgspec.structs.replace(one, patient=None) for one in shown]


def _nobodys(one: Device) -> Device:
    """Without who holds it; held says that somebody does."""
    values = {name: getattr(one, name) for name in Device.__struct_fields__}
    return Device(**values | {"patient": None, "held": one.patient is not None})


async def _found(ctx: Ctx, name: str, action: str) -> Device:
    """One device of those that the asker may see (R) or change (U). Raises Forbidden, NotFound to a job."""
    await access.require(ctx, *ROLES)
    rows = await store.all_of(ctx.sql, ctx.tenant, ctx.clock.now(), name, 1)
    if not rows:
        raise await access.absent(ctx, action, f"Device/{name[:64]}", "There is no such device.")
    one = Device(**rows[0])
    if "administrator" in ctx.actor.roles:
        await access.authorise(ctx, None, action, what="Device")
        if one.patient is not None:
            # A device's end or its password concerns whoever holds it, though no word of them is read.
            ctx.trail.patients.setdefault(one.patient, set()).add(action)
    elif one.patient is not None or action != "R":
        await access.authorise(ctx, one.patient, action, what="Device")
    ctx.trail.entities.append(f"Device/{one.device}")
    return one


async def sheet(ctx: Ctx, name: str) -> Sheet:
    """What there is to know of a device. Raises Forbidden, also where there is none."""
    one = await _found(ctx, name, "R")
    mine = await access.visible(ctx, "Device")
    stays = [_stay(row, mine) for row in await store.stays(ctx.sql, ctx.tenant, name)]
    known = one.patient is not None and (mine is None or one.patient in mine)
    latest = []
    if known and one.patient is not None:
        found = (await reading.latest(ctx, [one.patient]))[one.patient]
        latest = [value for value in found if value.device == name]
    last, waiting = await packs.last_of(ctx.sql, ctx.tenant, name)
    trouble = [
        event
        for event in await technical.events(ctx, device=name, unseen=False)
        if event.patient is None or mine is None or event.patient in mine
    ]
    trouble.sort(key=lambda event: event.last_at, reverse=True)
    return Sheet(
        device=one if known else _nobodys(one),
        stays=stays,
        last=None if last is None else _last(last),
        waiting=waiting,
        latest=latest,
        trouble=trouble[:TROUBLES],
        gateway=await gateways.of(ctx, name),
    )


def _stay(row: dict[str, Any], mine: frozenset[str] | None) -> Stay:
    since: datetime | None = row["since"]
    return Stay(
        row["patient"] if mine is None or row["patient"] in mine else None,
        None if since is None or since <= devices.EPOCH else since,
        row["until"],
    )


def _last(row: dict[str, Any]) -> LastPack:
    return LastPack(row["received_at"], devices.moment_of(row["t_max"]), row["count"], row["seq"])


async def new_password(ctx: Ctx, name: str) -> DeviceCredentials:
    """What it signs in with from now on, told once; who came in by the old one is cut off within seconds.

    Raises Forbidden, Conflict for one that is retired.
    """
    one = await _found(ctx, name, "U")
    if one.state != "active":
        raise Conflict("This device is retired.", remedy="Add it anew: it gets a name and a password of its own.")
    return await devices.new_password(ctx, name)


async def retire(ctx: Ctx, name: str) -> None:
    """Its end: whoever holds it gives it back, its silence is no alarm, it may not sign in and is cut off, for good.

    What it still sends is refused; what it sent stays. Twice is once. Raises Forbidden.
    """
    one = await _found(ctx, name, "U")
    if one.state != "active":
        return
    holders = await clockwork.expecting(ctx, name)
    await typing.assign(ctx, name, None, None, None, judge_all)
    await store.drop_planned(ctx.sql, ctx.tenant, name, ctx.clock.now())
    for patient in holders:
        await clockwork.forget_device(ctx, patient, name)
    await devices.revoke(ctx, name)
    retired = {**device_resource(name, one.kind, None), "status": "inactive"}
    await records.write_governed(ctx, retired, room="monitoring")
