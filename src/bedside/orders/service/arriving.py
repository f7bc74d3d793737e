"""A result came: it waits until somebody who may act on it has seen it. Hazard H141."""

from __future__ import annotations

from collections.abc import Sequence

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Gone, NotFound
from bedside.orders import store
from bedside.orders.model import arrived, reported


async def take_in(ctx: Ctx, references: Sequence[str]) -> None:
    """A job: what these say now waits to be seen. A repeat changes nothing."""
    async with access.work(ctx, "noted that results came") as inner:
        now = inner.clock.now()
        for reference in references:
            type_, _, id_ = reference.partition("/")
            try:
                found = arrived(await records.read(inner, type_, id_), now)
            except (NotFound, Gone):
                await store.forget(inner, reference)
                continue
            if found is None:
                continue
            if found.withdrawn and (await store.forget(inner, reference) or not await store.known(inner, reference)):
                continue
            await store.keep(inner, found, now)
            if parts := reported(found.parts):
                await store.hold(inner, found, parts, now)
            inner.trail.wrote = True
