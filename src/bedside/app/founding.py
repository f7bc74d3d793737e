"""A real clinic's first start: what it is, and its first administrator, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bedside import access
from bedside.app.console import operator
from bedside.app.upgrading import upgrade
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import Conflict
from bedside.foundation.home import Home
from bedside.foundation.settings import Settings

LASTS = timedelta(hours=24)
"""Of the first administrator's link: it is used by whoever stands at the terminal, today."""


@dataclass(frozen=True, slots=True)
class Founded:
    """administrator: their name. link: good once, until then."""

    clinic: access.Clinic
    administrator: str
    link: str
    until: datetime


async def founded(settings: Settings) -> access.Clinic | None:
    """Whose clinic this database is; None while nobody has said it. Writes nothing, migrates nothing."""
    database = await Database.connect(settings.database_url, size=1, name="bedside init")
    try:
        return await access.clinics.known(database)
    finally:
        await database.close()


async def found(settings: Settings, clinic: access.Clinic, name: str, email: str) -> Founded:
    """Bring the database up to date, keep whose clinic it is and add its first administrator: all of it or nothing.

    Raises Conflict where somebody has said it already or has this e-mail, Unavailable.
    """
    await upgrade(settings, lambda _: None, runs=Home(settings.home).running() is not None)
    async with operator(settings) as ctx, access.work(ctx, "founded the clinic") as inner:
        kept = await access.clinics.set_clinic(inner, clinic, first=True)
        new = access.NewPerson(
            name=name,
            roles=frozenset({"administrator"}),
            email=email,
            language=kept.language,
            units=kept.units,
            zone=kept.zone,
        )
        made = await access.add_person(inner, new)
        return await _link(inner, kept, made)


async def link_again(settings: Settings) -> Founded:
    """A new link for the first administrator who has not set up how they sign in; the one before works no longer.

    Raises Conflict where nothing was said yet, or where every administrator can sign in.
    """
    async with operator(settings) as ctx, access.work(ctx, "made an administrator's link anew") as inner:
        clinic = await access.clinics.clinic(inner)
        if clinic is None:
            raise Conflict("Nobody has said yet whose clinic this is.", remedy="Run `bedside init`.")
        waiting = await access.invited.waited_for(inner)
        administrators = {one.id: one for one in await access.people(inner, role="administrator")}
        who = next((administrators[id_] for id_ in waiting if id_ in administrators), None)
        if who is None:
            raise Conflict(
                "Every administrator of this clinic can sign in already.",
                remedy="Who lost everything asks another administrator, or runs `bedside person anew E-MAIL`.",
            )
        return await _link(inner, clinic, who)


async def _link(ctx: Ctx, clinic: access.Clinic, who: access.Person) -> Founded:
    link = await access.sign_in.invite(ctx, who.id, lasts=LASTS, told=False)
    return Founded(clinic, who.name, link, ctx.clock.now() + LASTS)
