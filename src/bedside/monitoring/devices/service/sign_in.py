"""Whether a user name and a password are a device's that may come in: one answer for every door."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, SignInNeeded, TooMany
from bedside.monitoring.devices.service.devices import same
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.devices.store import devices as store
from bedside.monitoring.devices.store import technical

UNKNOWN: Final = "?"
"""Stands for a user name nobody gave out, so that guessing cannot fill the list of events."""
REFUSED_FOR: Final = timedelta(seconds=60)
"""For so long a device that sent more than its limit comes in at no door."""


class Refused(Exception):
    """kind: of the technical event; device: whom it concerns. until: when it may try again, where that is known."""

    def __init__(self, kind: str, device: str = UNKNOWN, until: datetime | None = None) -> None:
        super().__init__(kind)
        self.kind, self.device, self.until = kind, device, until


@dataclass(slots=True, frozen=True)
class Known:
    """A device that has shown its password."""

    name: str
    number: int
    tenant: int


async def judge(ctx: Ctx, name: str, found: dict[str, Any] | None, password: str) -> dict[str, Any]:
    """The device, if it may come in. found: as its store knows it, None for nobody's name. In ctx's transaction.

    Raises Refused.
    """
    if found is None:
        raise Refused("unknown-device")
    if not same(found["secret"], found["salt"], password):
        raise Refused("wrong-password", name)
    now = ctx.clock.now()
    if found["state"] != "active" or (found["expires_at"] is not None and found["expires_at"] <= now):
        raise Refused("revoked-device", name)
    flooded = await technical.last(ctx.sql, found["tenant"], "flood", name, now - REFUSED_FOR)
    if flooded is not None:
        raise Refused("flood", name, flooded + REFUSED_FOR)
    return found


async def enter(ctx: Ctx, name: str, password: str) -> Known:
    """The device, at a door of the web. ctx: whoever asks, outside a transaction; origin is their address.

    Raises SignInNeeded, Forbidden when it was revoked or has expired, TooMany after too many wrong tries from this
    address, or within a minute after it sent more than its limit. Each refusal but the last two is a technical event.
    """
    who = f"{ctx.origin} {UNKNOWN}"
    try:
        async with ctx.database.transaction(readonly=True) as sql:
            inner = ctx.with_(tx=sql)
            found = await store.secret_of(sql, name)
            who = who if found is None else f"{ctx.origin} {name}"
            await access.limits.check(inner, "device", who)
            found = await judge(inner, name, found, password)
    except Refused as refusal:
        raise await _told(ctx, refusal, who) from None
    return Known(name, found["number"], found["tenant"])


async def _told(ctx: Ctx, refusal: Refused, who: str) -> Forbidden | SignInNeeded | TooMany:
    if refusal.until is not None:
        left = (refusal.until - ctx.clock.now()).total_seconds()
        return TooMany("This device sent more than it may.", retry_after=max(1, round(left + 0.5)))
    if refusal.kind != "revoked-device":
        await access.limits.spend_quietly(ctx, "device", who)
    async with ctx.database.transaction() as sql:
        await note(ctx.with_(tx=sql), refusal.kind, refusal.device, host=ctx.origin)
    if refusal.kind == "revoked-device":
        return Forbidden("This device was revoked or has expired.", remedy="Ask for new credentials.")
    return SignInNeeded(
        "These are no device's credentials.", remedy="Send the device's user name and password (HTTP Basic)."
    )


async def welcome(ctx: Ctx, name: str) -> bool:
    """Whether a device that came in may stay: neither revoked nor expired, nor flooding."""
    return bool(await ctx.database.together(store.welcome, (name, ctx.clock.now(), ctx.clock.now() - REFUSED_FOR)))
