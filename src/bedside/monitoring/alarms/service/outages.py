"""One cause that silences many devices, a ward without its network or a gateway, is one matter with a count.

While it stands the silence of each of its devices raises nothing: whoever is on duty is told once, the walls say it,
and a technical event counts the devices. Once it is over, who is silent still is silent for itself. Hazard H110.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.service import tell
from bedside.monitoring.alarms.store import outages as store
from bedside.monitoring.alarms.store import watch
from bedside.monitoring.alarms.store.outages import Outage
from bedside.monitoring.devices.service import gateways
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.rules.model import tables

QUICK: Final = timedelta(minutes=15)
"""Devices whose silence is noticed within this send all the time: that many fall silent at once says something."""
TOGETHER: Final = timedelta(seconds=60)
"""Devices that were last heard within this of each other fell silent together."""
ACTIVE: Final = timedelta(minutes=10)
"""What was not heard for longer before lies in a drawer."""
LEAST: Final = 3
SHARE: Final = 0.8
"""Of the devices of a ward, so many at least, and this share of those in use: site choice."""


@dataclass(frozen=True, slots=True)
class Silenced:
    """An outage as others see it. scope: place or gateway. name: as people call it. since: when last heard. count: of
    devices."""

    scope: str
    name: str
    since: datetime
    count: int


async def explains(ctx: Ctx, patient: str, device: str, at: datetime, limit: timedelta) -> bool:
    """Whether the silence of a device, last heard `at`, has a cause that it shares with others; it is counted there
    then. limit: after how long its silence is noticed.
    """
    running = {(one.scope, one.name): one for one in await store.running(ctx.sql, ctx.tenant)}
    gateway = await gateways.silent(ctx, device)
    if gateway is not None:
        await _join(ctx, running.get(("gateway", gateway[0])), ("gateway", gateway[0]), gateway[1], device, patient)
        return True
    if limit > QUICK:
        return False
    wards = {place.id for place in await access.places(ctx) if place.kind == "ward"}
    for stay in await access.places_of(ctx, patient):
        if stay.place not in wards:
            continue
        known = running.get(("place", stay.place))
        within = known is not None and known.since - ACTIVE <= at <= known.since + TOGETHER
        if within or (known is None and await _together(ctx, stay.place, at)):
            await _join(ctx, known, ("place", stay.place), at, device, patient)
            return True
    return False


async def _together(ctx: Ctx, place: str, at: datetime) -> bool:
    now = ctx.clock.now()
    quick = {kind for kind, row in tables.silence(now.date()).items() if row.after <= QUICK}
    patients = [bed.patient for bed in await access.patients_at(ctx, place)]
    heard = [
        when
        for memory in await watch.read(ctx.sql, ctx.tenant, patients)
        for when, kind in memory.heard.values()
        if kind in quick and at - ACTIVE <= when <= now  # who is to hold a device only later is not heard yet
    ]
    silent = sum(when <= at + TOGETHER for when in heard)
    return silent >= LEAST and silent >= SHARE * len(heard)


async def _join(
    ctx: Ctx, known: Outage | None, where: tuple[str, str], since: datetime, device: str, patient: str
) -> None:
    if known is not None and device in known.devices:
        return
    scope, name = where
    began = await store.join(ctx.sql, ctx.tenant, scope, name, since, ctx.clock.now(), device, patient)
    await note(ctx, "outage", f"{scope}:{name}", since=since.isoformat())
    if began:
        await tell.outage(ctx, name if scope == "place" else None, patient)


async def over(ctx: Ctx) -> None:
    """End those whose gateway is heard again, or half of whose devices are. Of every tenant."""
    for one in await store.running(ctx.sql):
        if await _back(ctx.with_(tenant=one.tenant), one):
            await store.end(ctx.sql, one.id, ctx.clock.now())


async def _back(ctx: Ctx, one: Outage) -> bool:
    if one.scope == "gateway":
        return await gateways.back(ctx, one.name, one.found_at)
    heard = {
        device: when
        for memory in await watch.read(ctx.sql, ctx.tenant, sorted(set(one.devices.values())))
        for device, (when, _) in memory.heard.items()
    }
    again = sum(heard.get(device, one.since) > one.since + TOGETHER for device in one.devices)
    return 2 * again >= len(one.devices)


async def standing(ctx: Ctx) -> list[Silenced]:
    """What stands now, oldest first."""
    names = {place.id: place.name for place in await access.places(ctx, closed=True)}
    return [
        Silenced(one.scope, names.get(one.name, one.name), one.since, len(one.devices))
        for one in await store.running(ctx.sql, ctx.tenant)
    ]
