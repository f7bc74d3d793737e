"""Which other systems may send, and how they are known."""

from __future__ import annotations

from ipaddress import ip_network

import asyncpg

from bedside import access, monitoring
from bedside.exchange import store
from bedside.exchange.model.interface import NAME, Interface, NewInterface
from bedside.exchange.model.times import zone_named
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound


async def add_interface(ctx: Ctx, new: NewInterface) -> Interface:
    """Known from the commit on. Raises Invalid, Conflict, Forbidden."""
    await access.authorise(ctx, None, "C", what="interface")
    check(new)
    try:
        async with ctx.sql.transaction():
            row = await store.add_interface(
                *(ctx.sql, ctx.tenant, new.name, new.application, new.facility, new.authorities, new.zone),
                *(new.addresses, new.kind, new.processing, ctx.clock.now()),
            )
    except asyncpg.UniqueViolationError as error:
        raise Conflict(
            "There is an interface of that name, or with that application and facility.",
            remedy="End it first: bedside interface end NAME.",
        ) from error
    ctx.trail.entities.append(f"interface/{new.name}")
    return Interface(**{**row, "addresses": tuple(row["addresses"])})


def check(new: NewInterface) -> None:
    """Raises Invalid."""
    if NAME.fullmatch(new.name) is None:
        raise Invalid("A name has letters, digits, dots, hyphens: 40 at most.", where="name")
    if not new.application or any(mark in new.application + new.facility for mark in "|^&~\\"):
        raise Invalid("The first component of MSH-3 and of MSH-4 is needed.", where="application")
    if not new.authorities or not all(system.strip() for system in new.authorities.values()):
        raise Invalid(
            "Without an assigning authority no patient can be found.",
            where="authority",
            remedy="Give AUTHORITY=SYSTEM: the one in PID-3.4, and the system of Patient.identifier.",
        )
    if new.kind not in monitoring.SOURCES:
        kinds = tuple(sorted(monitoring.SOURCES))
        raise Invalid("That kind of device is not known.", where="kind", remedy="One of: %(kinds)s.", kinds=kinds)
    if new.processing not in {"P", "T", "D"}:
        raise Invalid("The processing id is P, T or D.", where="processing")
    try:
        zone_named(new.zone)
    except ValueError:
        raise Invalid("That time zone is not known.", where="zone", remedy="As in Europe/Madrid.") from None
    for network in new.addresses:
        try:
            ip_network(network)
        except ValueError:
            raise Invalid("That is no address and no network.", where="from", remedy="As in 10.1.2.0/24.") from None
    if not new.addresses:
        raise Invalid("No address may send for it.", where="from")


async def interfaces(ctx: Ctx) -> list[Interface]:
    """All that may send. Raises Forbidden."""
    await access.authorise(ctx, None, "R", what="interface")
    rows = await store.interfaces(ctx.sql, ctx.tenant)
    return [Interface(**{**row, "addresses": tuple(row["addresses"])}) for row in rows]


async def end_interface(ctx: Ctx, name: str) -> None:
    """It may not send any more. Raises NotFound, Forbidden."""
    await access.authorise(ctx, None, "D", what="interface")
    if not await store.end_interface(ctx.sql, ctx.tenant, name, ctx.clock.now()):
        raise NotFound("There is no such interface.", where="name")
    ctx.trail.entities.append(f"interface/{name}")


async def sender(ctx: Ctx, application: str, facility: str, peer: str) -> Interface | None:
    """Whose message this is: known by MSH-3 and MSH-4, and sent from where it may send."""
    row = await store.interface_of(ctx.sql, ctx.tenant, application, facility)
    if row is None:
        return None
    found = Interface(**{**row, "addresses": tuple(row["addresses"])})
    return found if found.sends_from(peer) else None
