"""What goes wrong on the way from a body to the record, kept where a person finds it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_
from bedside.monitoring.devices.store import technical as store

KINDS: Final = {
    # kind: what it says to a person
    "unknown-device": N_("Something sent readings as a device that is not known here"),
    "wrong-password": N_("A device tried to sign in with a wrong password"),
    "revoked-device": N_("A device that was revoked or has expired tried to connect or send"),
    "wrong-door": N_("Device credentials were used on the staff's own connection"),
    "client-id-taken": N_("A device used the MQTT client id of another device"),
    "other-subject": N_("A device tried to publish or listen where it may not"),
    "flood": N_("A device sent more messages than it may; it was cut off and refused for a minute"),
    "oversize": N_("A message was too large and was cut off by the broker"),
    "protocol": N_("A connection broke the MQTT protocol"),
    "deaf": N_("No readings could come in: the broker or the ingest process was away"),
    "outage": N_("Devices fell silent together: a ward's network or a gateway is away"),
    "malformed": N_("A message was not a SenML pack"),
    "refused-reading": N_("Readings were refused"),
    "refused-wave": N_("Waveforms were refused"),
    "unassigned": N_("Readings came from a time when nobody held the device; they wait for a person"),
    "conflict": N_("A moment was sent again with another value; both are kept"),
    "repeat": N_("Readings were sent again and were not stored twice"),
    "disorder": N_("Readings arrived out of order"),
    "late": N_("Readings arrived long after they were measured"),
    "clock": N_("A device's clock runs ahead"),
    "not-stored": N_("Readings could not be stored because of a fault here; they wait and are tried again"),
    "interface-stranger": N_("A message came from a system or an address that is no interface here; it was rejected"),
    "interface-refused": N_("A message of an interface, or a part of it, was not taken"),
    "interface-uncharted": N_("An interface sent codes that are not charted here"),
    "interface-reused": N_("An interface used the number of an earlier message for another one; it was not taken"),
    "interface-patient": N_(
        "An interface sent a patient's number with another name or birth date; nothing was charted"
    ),
    "interface-waiting": N_("An interface sent readings of a patient who is not known here; they wait for a person"),
    "interface-fault": N_("A message of an interface could not be taken because of a fault here; it was sent back"),
}
ROUTINE: Final = frozenset({"repeat", "disorder", "late", "interface-uncharted"})
"""What a good device does after an outage: nothing was lost, but whoever looks should find it."""


class TechnicalEvent(msgspec.Struct, frozen=True):
    """One kind of trouble with one device since somebody last saw it. count: how often; detail: the last time's,
    but the most of how late or how far ahead."""

    id: int
    kind: str
    says: str
    device: str
    patient: str | None
    first_at: datetime
    last_at: datetime
    count: int
    detail: dict[str, Any]
    seen_by: str | None

    @property
    def routine(self) -> bool:
        """Whether it took care of itself: a person may look, and need not."""
        return self.kind in ROUTINE


async def note(ctx: Ctx, kind: str, device: str, *, patient: str | None = None, count: int = 1, **detail: Any) -> None:
    """Record it, or raise the count of the same trouble that nobody has seen yet. detail: no values of readings."""
    if kind not in KINDS:
        raise ValueError(kind)
    await store.note(ctx.sql, ctx.tenant, kind, device[:128], patient, ctx.clock.now(), count, detail)


async def events(ctx: Ctx, *, device: str | None = None, unseen: bool = True) -> list[TechnicalEvent]:
    """What asks for a person's hand before what took care of itself, then the newest first; with those seen 500."""
    rows = await store.events(ctx.sql, ctx.tenant, device, unseen, sorted(ROUTINE))
    return [TechnicalEvent(says=KINDS.get(row["kind"], row["kind"]), **row) for row in rows]


async def seen(ctx: Ctx, events: Sequence[int]) -> int:
    """Somebody has seen these: the next of their kind begins a new count. How many were open."""
    return await store.seen(ctx.sql, ctx.tenant, events, ctx.actor.id, ctx.clock.now())


async def not_seen(ctx: Ctx, within: timedelta) -> int:
    """What the actor said last to have seen is open again, if that is not longer ago. How many."""
    return await store.not_seen(ctx.sql, ctx.tenant, ctx.actor.id, ctx.clock.now() - within)
