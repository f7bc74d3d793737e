"""Gateways: each says twice a minute that it is there, so that its silence is one matter, not one of each device."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.monitoring.devices.service.sign_in import Known
from bedside.monitoring.devices.store import gateways as store

SILENT: Final = timedelta(seconds=75)
"""Site choice: twice in a row it did not say that it is there; sooner than the quickest device counts as silent."""
NAME: Final = re.compile(r"[A-Za-z0-9._\-]{1,64}")


async def heard(ctx: Ctx, known: Known, gateway: str) -> None:
    """A gateway is there, and carries this device. Raises Invalid (gateway)."""
    if NAME.fullmatch(gateway) is None:
        raise Invalid("A gateway's name has at most 64 letters, digits, dots and dashes.", where="gateway")
    async with ctx.database.transaction() as sql:
        await store.heard(sql, known.tenant, gateway, known.number, ctx.clock.now())


async def silent(ctx: Ctx, device: str) -> tuple[str, datetime] | None:
    """The gateway that the device comes by, and since when it is silent, if it is."""
    found = await store.of_device(ctx.sql, ctx.tenant, device)
    if found is None or ctx.clock.now() - found[1] < SILENT:
        return None
    return found


async def of(ctx: Ctx, device: str) -> tuple[str, datetime] | None:
    """The gateway that the device comes by, and when that was last heard."""
    return await store.of_device(ctx.sql, ctx.tenant, device)


async def back(ctx: Ctx, gateway: str, since: datetime) -> bool:
    """Whether it was heard after that."""
    at = await store.heard_at(ctx.sql, ctx.tenant, gateway)
    return at is not None and at > since
