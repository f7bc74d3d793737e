"""Begin a thread, and write in one: the words into the record, how it stands beside them, notices after the commit."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid
from bedside.messaging.threads.model import files as sent_files
from bedside.messaging.threads.model import picture
from bedside.messaging.threads.model.thread import KINDS, LONGEST, Event, File, New, Thread, Written
from bedside.messaging.threads.service.finding import WHAT, find, side_of
from bedside.messaging.threads.service.promising import by_when
from bedside.messaging.threads.service.team import answerers
from bedside.messaging.threads.service.telling import tell_clinic, tell_home
from bedside.messaging.threads.service.unsent import taken
from bedside.messaging.threads.store import threads as store

PIECES = timedelta(minutes=15)
"""How long one notice stands for what follows unseen."""


async def begin(ctx: Ctx, patient: str, kind: str, new: New) -> Thread:
    """A first message: of the patient or who acts for them to the clinic, or of the clinic to the patient.

    The same id again changes nothing and is answered with what stands. Raises Invalid (where: the field), TooLarge,
    Conflict, Forbidden.
    """
    await access.authorise(ctx, patient, "C", what=WHAT)
    if kind not in KINDS:
        raise Invalid("Choose what it is about.", where="kind")
    checked = _checked(new)
    mine, now = side_of(ctx) == "clinic", ctx.clock.now()
    if not mine:
        await _somebody(ctx, patient)
    thread = Thread(
        id=checked.id,
        patient=patient,
        kind=kind,
        state="open",
        urgent=checked.urgent and not mine,
        opened=now,
        person=ctx.actor.id,
        name=ctx.actor.name,
        assigned=ctx.actor.id if mine else None,
        assigned_name=ctx.actor.name if mine else None,
        promised=None if mine else await by_when(ctx),
        told=None,
        last=now,
    )
    if not await store.insert(ctx.sql, ctx.tenant, thread):
        known = await find(ctx, thread.id)
        if known.person != ctx.actor.id or known.patient != patient:
            raise Conflict("This message was sent already.", remedy="Write a new one.")
        return known
    await _say(ctx, thread, checked, before=None)
    return thread


async def answer(ctx: Ctx, key: str, new: New) -> Thread:
    """One more message in a thread; a closed one is open again. Raises as `begin`, and NotFound."""
    thread = await find(ctx, key, "C", lock=True)
    checked = _checked(new)
    known = await store.message(ctx.sql, ctx.tenant, checked.id)
    if known is not None:
        if known.thread != thread.id or known.person != ctx.actor.id:
            raise Conflict("This message was sent already.", remedy="Write a new one.")
        return thread
    now = ctx.clock.now()
    before = (await store.messages(ctx.sql, ctx.tenant, thread.id))[-1]
    if not thread.open:
        await store.add_event(ctx.sql, ctx.tenant, thread.id, Event(now, ctx.actor.id, ctx.actor.name, "opened"))
    if side_of(ctx) == "clinic":
        holder = thread.assigned or ctx.actor.id
        name = thread.assigned_name or ctx.actor.name
        thread = replace(thread, promised=None, told=None, urgent=False, assigned=holder, assigned_name=name)
    else:
        await _somebody(ctx, thread.patient)
        # The first unanswered message holds the promise: writing again does not put it off.
        promised = thread.promised or await by_when(ctx)
        thread = replace(thread, promised=promised, urgent=thread.urgent or checked.urgent)
    thread = replace(thread, state="open", last=now)
    await store.update(ctx.sql, ctx.tenant, thread)
    await _say(ctx, thread, checked, before=before)
    return thread


async def _told(ctx: Ctx, before: Written | None, message: Written) -> bool:
    """Whether the notice of the message before stands for this one too: somebody writes in several pieces."""
    if before is None or message.urgent or before.side != "home" or message.at - before.at > PIECES:
        return False
    seen = await store.seen(ctx.sql, ctx.tenant, message.thread)
    return not any(one.message == before.id for one in seen)


async def _somebody(ctx: Ctx, patient: str) -> None:
    """No message goes where nobody would read it (hazard H126)."""
    if not await answerers(ctx, patient):
        raise Conflict("Nobody at the clinic would read this yet.", remedy="Ring the clinic.")


def _checked(new: New) -> New:
    text = new.text.replace("\r\n", "\n").strip()
    try:
        id_ = str(UUID(new.id))
    except ValueError:
        raise Invalid("This form is damaged.", remedy="Open the page again.") from None
    if not text and not new.files and not new.held:
        raise Invalid("Write your message.", where="text")
    if len(text) > LONGEST:
        raise Invalid("A message has at most %(most)s characters.", where="text", most=LONGEST)
    if any(ord(c) < 32 and c not in "\n\t" for c in text):
        text = "".join(c for c in text if ord(c) >= 32 or c in "\n\t")
    if len(new.files) + len(new.held) > sent_files.MANY:
        raise Invalid("At most %(most)s files in one message.", where="files", most=sent_files.MANY)
    return replace(new, id=id_, text=text)


async def _say(ctx: Ctx, thread: Thread, new: New, *, before: Written | None) -> None:
    side, now = side_of(ctx), ctx.clock.now()
    message = Written(new.id, thread.id, now, ctx.actor.id, ctx.actor.name, side, new.urgent and side == "home")
    await store.add_message(ctx.sql, ctx.tenant, message)
    new = replace(new, files=await taken(ctx, thread.patient, new))
    files = [await _keep(ctx, thread, new, n) for n in range(len(new.files))]
    recipients = await _recipients(ctx, thread, message)
    resource = picture.communication(
        thread,
        message,
        new.text,
        files,
        sender=ctx.actor.reference,
        recipients=recipients,
        before=before.id if before else None,
    )
    await records.write_governed(ctx, resource, room="messaging")
    if side == "home":
        if await _told(ctx, before, message):
            return
        await tell_clinic(ctx, thread, "messaging.urgent" if message.urgent else "messaging.written")
    else:
        await tell_home(ctx, thread, await store.messages(ctx.sql, ctx.tenant, thread.id))


async def _keep(ctx: Ctx, thread: Thread, new: New, n: int) -> File:
    """A file into the record's file door: told by what it holds, looked at by the site's scanners there."""
    name, data = new.files[n]
    media = sent_files.media_of(data)
    binary = {
        "resourceType": "Binary",
        "id": str(uuid5(NAMESPACE_OID, f"{new.id}/{n}")),
        "contentType": media,
        "securityContext": {"reference": f"Patient/{thread.patient}"},
        "data": base64.b64encode(data).decode(),
    }
    stored = await records.create(ctx, binary)
    return File(stored.id, sent_files.name_of(name, media), media, len(data))


async def _recipients(ctx: Ctx, thread: Thread, message: Written) -> list[str]:
    if message.side == "clinic":
        return [f"Patient/{thread.patient}"]
    people = [await access.person(ctx, one.person) for one in await answerers(ctx, thread.patient, thread)]
    return [one.reference for one in people if one.reference]
