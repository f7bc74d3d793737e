"""Many colleagues at once: looked at row by row, then added with their links; doing it twice adds nobody twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

import msgspec

from bedside.access.model import staff_list as model
from bedside.access.model.licence import Licence
from bedside.access.model.people import NewPerson, Person, Place
from bedside.access.model.staff_list import COLUMNS, MOST, HeldLicence, Row, check_email, check_name, template
from bedside.access.service import clinic, sign_in
from bedside.access.service.decide import require
from bedside.access.service.duties import set_duty
from bedside.access.service.licences import add_licence
from bedside.access.service.people import add_person, people, places
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, Invalid

__all__ = [
    "COLUMNS",
    "MOST",
    "Added",
    "Looked",
    "Preview",
    "Row",
    "check_email",
    "check_name",
    "licence",
    "look",
    "take",
    "template",
]

STATUSES: tuple[Literal["active", "suspended", "revoked"], ...] = ("active", "suspended", "revoked")
ANSWERERS = ("nurse", "clinician")


@dataclass(frozen=True, slots=True)
class Looked:
    """What a row would do. place: where it puts them on duty. note: a msgid with its values, something to know."""

    row: Row
    state: Literal["new", "here", "wrong"]
    place: Place | None = None
    note: str = ""
    values: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Preview:
    """rows: in the file's order."""

    rows: tuple[Looked, ...]

    def of(self, state: str) -> list[Looked]:
        """Those that are new, here already, or wrong."""
        return [one for one in self.rows if one.state == state]


@dataclass(frozen=True, slots=True)
class Added:
    """Somebody new, and the link by which they come in."""

    person: Person
    link: str


async def look(ctx: Ctx, data: bytes) -> Preview:
    """What `take` would do with this file; writes nothing. An administrator's, or the console's.

    Raises Forbidden, Invalid where the file cannot be read at all.
    """
    await _may(ctx)
    rows = model.read(data)
    here: dict[str, Person] = {}
    named: dict[str, list[Person]] = defaultdict(list)
    for one in await people(ctx):
        named[one.name.casefold()].append(one)
        if one.email:
            here[one.email.casefold()] = one
    found = {one.id: one for one in await places(ctx)} | {one.name.casefold(): one for one in await places(ctx)}
    return Preview(tuple(_look(row, here, named, found) for row in rows))


def _look(row: Row, here: dict[str, Person], named: dict[str, list[Person]], found: dict[str, Place]) -> Looked:
    faults = list(row.faults)
    place = found.get(row.place) or found.get(row.place.casefold()) if row.place else None
    if row.place and place is None:
        faults.append(
            Invalid(
                "There is no ward or programme of this name.",
                where="place",
                remedy="Add it first, or leave this empty.",
            )
        )
    if place is not None and place.kind == "pharmacy" and "pharmacist" not in row.roles:
        faults.append(Invalid("Only pharmacists work in a pharmacy.", where="place"))
    if place is not None and place.kind != "pharmacy" and not row.roles & set(ANSWERERS):
        faults.append(Invalid("Only nurses and clinicians are on duty there.", where="place"))
    if faults:
        return Looked(replace(row, faults=tuple(faults)), "wrong")
    known = here.get(row.email.casefold())
    if known is not None:
        same = known.roles == row.roles and known.name == row.name
        values = (("name", known.name), ("roles", ", ".join(sorted(known.roles))))
        return Looked(row, "here", place, "" if same else N_("Here as %(name)s, %(roles)s: stays as it is."), values)
    if row.name.casefold() in named:
        note = N_("Somebody of this name is here with another e-mail: make sure that it is not the same person.")
        return Looked(row, "new", place, note)
    return Looked(row, "new", place)


async def take(ctx: Ctx, data: bytes) -> list[Added]:
    """Add those of the file that are new, each with a link (sent by a notice too, where one leads to them), all in
    this transaction. Rows that are wrong are left out, who is here stays as they are.

    Raises Forbidden, Invalid, Conflict.
    """
    preview = await look(ctx, data)
    ours = await clinic.clinic(ctx)
    today = ctx.clock.now().date()
    added = []
    for one in preview.of("new"):
        row = one.row
        made = await add_person(
            ctx,
            NewPerson(
                name=row.name,
                roles=row.roles,
                email=row.email,
                phone=row.phone,
                language=row.language or (ours.language if ours else "en"),
                units=ours.units if ours else "metric",
                zone=(one.place.zone if one.place else None) or (ours.zone if ours else "UTC"),
            ),
        )
        if one.place is not None:
            roles = ("pharmacist",) if one.place.kind == "pharmacy" else ANSWERERS
            for role in (role for role in roles if role in row.roles):
                await set_duty(ctx, person=made.id, place=one.place.id, role=role, step=row.step)
        if row.licence is not None:
            await add_licence(ctx, _kept(row.licence, made.id, today))
        added.append(Added(made, await sign_in.invite(ctx, made.id)))
    return added


def licence(typed: Mapping[str, str], person: str, today: date) -> Licence:
    """A licence as a form names it (the columns of the list, and licence_status). Raises Invalid."""
    status = next((one for one in STATUSES if one == typed.get("licence_status")), "active")
    return msgspec.structs.replace(_kept(model.licence_of(typed), person, today), status=status)


def _kept(held: HeldLicence, person: str, today: date) -> Licence:
    return Licence(
        person,
        held.jurisdiction,
        held.number,
        held.kind,
        held.since,
        held.until,
        verified_at=today,
        verified_source=held.source,
    )


async def _may(ctx: Ctx) -> None:
    if ctx.actor.kind != "job":
        await require(ctx, "administrator")
