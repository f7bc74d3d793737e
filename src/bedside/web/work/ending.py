"""What ends soon: licences, invitations, grants, one's care, devices, medicines, the site's certificate."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, time
from pathlib import Path

from bedside import access, monitoring, prescribing
from bedside.foundation import certificates
from bedside.foundation.errors import N_, BedsideError
from bedside.foundation.home import Home
from bedside.web.work.item import Asked, Found, Item, found

DEVICES = {"password": N_("Password of the device %(name)s ends"), "stay": N_("The device %(name)s is to come back")}


async def care(asked: Asked) -> Found:
    """For who looks after patients: own licences and care, grants, devices, medicines that run out."""
    ctx, said = asked.ctx, asked.said
    items = [
        Item(said(N_("Your licence for %(place)s ends")) % {"place": one.jurisdiction}, "/account", due_day=one.until)
        for one in await access.ending.own_licences(ctx)
    ]
    items += [
        Item(said(N_("Your care of this patient ends")), f"/patients/{one.patient}", one.patient, due=one.until)
        for one in await access.ending.own_care(ctx)
    ]
    items += [
        Item(
            said(N_("%(name)s may no longer see the record")) % {"name": one.name},
            f"/patients/{one.patient}",
            one.patient,
            due=one.until,
        )
        for one in await access.ending.grants(ctx)
    ]
    if "clinician" in ctx.actor.roles:
        items += [
            Item(
                said(N_("%(medicine)s runs out")) % {"medicine": one.name},
                f"/prescriptions/{one.id}",
                one.draft.patient,
                due=until,
            )
            for one, until in await prescribing.running_out(ctx)
        ]
    return found(asked, _sorted(asked, items + await _devices(asked)))


async def site(asked: Asked) -> Found:
    """For administrators: licences and invitations of colleagues, devices, the certificate."""
    ctx, said = asked.ctx, asked.said
    items = [
        Item(
            said(N_("Licence of %(name)s for %(place)s ends")) % {"name": name, "place": one.jurisdiction},
            f"/admin/people/{one.person}",
            due_day=one.until,
        )
        for name, one in await access.licences_ending(ctx)
    ]
    items += [
        Item(
            said(N_("%(name)s has not come in yet: the invitation ends")) % {"name": one.person.name}
            if one.until
            else said(N_("%(name)s has no invitation yet")) % {"name": one.person.name},
            f"/admin/people/{one.person.id}",
            due=one.until,
        )
        for one in await access.ending.invitations(ctx)
    ]
    if not {"clinician", "nurse"} & ctx.actor.roles:  # else they stand with their patients
        items += await _devices(asked)
    return found(asked, _sorted(asked, items))


async def licences(asked: Asked) -> Found:
    """For a pharmacist: their own."""
    rows = await access.ending.own_licences(asked.ctx)
    said = asked.said(N_("Your licence for %(place)s ends"))
    return found(asked, [Item(said % {"place": one.jurisdiction}, "/account", due_day=one.until) for one in rows])


async def certificate(home: Path, now: datetime) -> datetime | None:
    """When the certificate ends by which this installation is reached, within 21 days; None where it has none."""
    try:
        running = await asyncio.to_thread(lambda: Home(home).running() or {})
        file = running.get("certificate")
        ends = await asyncio.to_thread(certificates.ends, Path(file)) if file else None
    except (BedsideError, OSError, ValueError):
        return None
    return ends if ends is not None and (ends - now).days < 21 else None


async def _devices(asked: Asked) -> list[Item]:
    return [
        Item(
            asked.said(DEVICES[one.why]) % {"name": one.label or one.device},
            f"/devices/{one.device}",
            one.patient,
            due=one.until,
        )
        for one in await monitoring.devices_ending(asked.ctx)
    ]


def _sorted(asked: Asked, items: list[Item]) -> list[Item]:
    """The soonest first; a day ends when the reader's own does."""

    def end(one: Item) -> datetime:
        if one.due_day is not None:
            return datetime.combine(one.due_day, time.max, asked.page.zone).astimezone(UTC)
        return one.due or datetime.min.replace(tzinfo=UTC)

    return sorted(items, key=end)
