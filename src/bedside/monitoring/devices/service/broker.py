"""What only the broker sees of devices: why it cut them off. Told on its system account."""

from __future__ import annotations

from typing import Any, Final

import structlog

from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.monitoring.devices.service.callout import UNKNOWN
from bedside.monitoring.devices.service.technical import note

REASONS: Final = {
    # nats-server's own words for why a connection ended: our kind of event
    "Maximum Message Payload Exceeded": "oversize",
    "Maximum Payload Exceeded": "oversize",
    "Protocol Violation": "protocol",
    "Parse Error": "protocol",
}
log = structlog.get_logger("bedside.monitoring")


async def watch(ctx: Ctx, system: Bus) -> None:
    """Record each cut-off of an MQTT connection as a technical event. system: a link to NATS's system account."""

    async def ended(_: str, event: dict[str, Any]) -> None:
        client = event.get("client", {})
        kind = REASONS.get(event.get("reason", ""))
        if kind is None or client.get("client_type") != "mqtt":
            return
        try:
            async with ctx.database.transaction() as sql:
                await note(ctx.with_(tx=sql), kind, client.get("user") or UNKNOWN, host=client.get("host", ""))
        except (BedsideError, OSError):
            log.warning("a cut-off could not be recorded", why=kind)

    await system.subscribe("$SYS.ACCOUNT.*.DISCONNECT", ended, queue="technical")
