"""A promise that passed is work for a person: told once, and shown until answered. Hazard H126."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bedside import access
from bedside.foundation.context import Ctx
from bedside.messaging.threads.model.thread import Event
from bedside.messaging.threads.service.telling import tell, tell_clinic
from bedside.messaging.threads.store import threads as store

NOBODY = "messaging.nobody"


async def look(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """The periodic job messaging.late. Idempotent: a thread is told once for each promise."""
    async with access.work(ctx, "looked for late answers") as inner:
        now = inner.clock.now()
        for thread in await store.late(inner.sql, inner.tenant, now):
            if not await tell_clinic(inner, thread, "messaging.late"):
                # Its team has gone meanwhile: who can put the patient into somebody's care is told instead.
                await tell(inner, (one.id for one in await access.people(inner, role="administrator")), NOBODY)
            await store.update(inner.sql, inner.tenant, replace(thread, told=now))
            await store.add_event(inner.sql, inner.tenant, thread.id, Event(now, "", "Bedside", "late"))
