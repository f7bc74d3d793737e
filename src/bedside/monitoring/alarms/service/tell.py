"""Who is told of an alarm, without a word about anybody's health."""

from __future__ import annotations

from collections.abc import Iterable

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.model import Alarm


async def staff(ctx: Ctx, people: Iterable[str], alarm: Alarm) -> None:
    """Those who are asked now."""


async def administrators(ctx: Ctx, alarm: Alarm) -> list[str]:
    """That nobody answered; the names of who was told."""
    return [person.name for person in await access.people(ctx, role="administrator")]
