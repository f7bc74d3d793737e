"""Files of a message that was stopped before it was sent: kept for its writer alone, and thrown away unless it is sent.

A browser forgets the files of a form that comes back. Bounded: one message's files for each person, for a day. They are
looked at by the site's scanners once they are sent, and nobody can read them before. Hazard H180.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.messaging.threads.model import files as sent_files
from bedside.messaging.threads.model.thread import New, Unsent, UnsentFile
from bedside.messaging.threads.service.finding import WHAT
from bedside.messaging.threads.store import unsent as store

KEPT = timedelta(days=1)


async def hold(
    ctx: Ctx, patient: str, key: str, files: Sequence[tuple[str, bytes]], kept: Collection[int] = ()
) -> Unsent:
    """Keep the files of the actor's message about this patient until it is sent; kept: numbers of those held already.

    What the actor kept of another message is thrown away. A file that could not be sent is not kept, and told of.
    Raises Invalid, Forbidden.
    """
    await access.authorise(ctx, patient, "C", what=WHAT)
    message, me = _message(key), ctx.actor.id
    await store.only(ctx.sql, ctx.tenant, me, message, sorted(kept))
    held = await store.listed(ctx.sql, ctx.tenant, me, message, patient)
    refused: list[tuple[str, BedsideError]] = []
    free = [n for n in range(sent_files.MANY) if n not in {one.n for one in held}]
    for name, data in files:
        try:
            media = sent_files.media_of(data)
            if not free:
                raise Invalid("At most %(most)s files in one message.", where="files", most=sent_files.MANY)
        except BedsideError as error:
            refused.append((name, error))
            continue
        file = UnsentFile(free.pop(0), sent_files.name_of(name, media), len(data))
        now = ctx.clock.now()
        await store.put(ctx.sql, ctx.tenant, person=me, patient=patient, message=message, file=file, data=data, at=now)
        held.append(file)
    ctx.trail.wrote = True
    return Unsent(tuple(sorted(held, key=lambda one: one.n)), tuple(refused))


async def taken(ctx: Ctx, patient: str, new: New) -> tuple[tuple[str, bytes], ...]:
    """All files of a message that is being sent, those held for it first; in the transaction that sends it. Raises
    Conflict where one is no longer held: a message never goes without a file that its writer saw with it."""
    if not new.held:  # its writer unticked all that was held
        await store.drop(ctx.sql, ctx.tenant, ctx.actor.id, new.id)
        return new.files
    found = await store.taken(ctx.sql, ctx.tenant, ctx.actor.id, new.id, patient)
    if set(new.held) - set(found):
        raise Conflict("Some of the files are no longer kept.", where="files", remedy="Choose your files again.")
    return (*(found[n] for n in sorted(new.held)), *new.files)


async def discard(ctx: Ctx, key: str) -> None:
    """The actor does not send this message: its files are thrown away. Raises Invalid."""
    await store.drop(ctx.sql, ctx.tenant, ctx.actor.id, _message(key))
    ctx.trail.wrote = True


async def sweep(ctx: Ctx, payload: dict[str, Any]) -> None:  # noqa: ARG001, RUF100 - a job takes a payload
    """The periodic job messaging.unsent: what nobody sent within a day is thrown away. Idempotent."""
    async with access.work(ctx, "threw away the files of messages that were not sent") as inner:
        await store.expire(inner.sql, inner.clock.now() - KEPT)


def _message(key: str) -> str:
    try:
        return str(UUID(key))
    except ValueError:
        raise Invalid("This form is damaged.", remedy="Open the page again.") from None
