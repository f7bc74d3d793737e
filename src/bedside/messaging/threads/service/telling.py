"""Notices of messages: that there is something, and never a word of it (hazard H127)."""

from __future__ import annotations

from collections.abc import Iterable

from bedside import access
from bedside.foundation import jobs
from bedside.foundation.context import Ctx
from bedside.messaging.threads.model.thread import Thread, Written
from bedside.messaging.threads.service.finding import WHAT
from bedside.messaging.threads.service.team import answerers, let_in


async def tell(ctx: Ctx, people: Iterable[str], template: str) -> None:
    """Each of them once, by jobs of this transaction."""
    for person in dict.fromkeys(people):
        await jobs.enqueue(ctx, "messaging.send", {"person": person, "template": template, "data": {}})


async def tell_clinic(ctx: Ctx, thread: Thread, template: str) -> bool:
    """Who is responsible; a substitute is let in first. False where nobody is."""
    found = await answerers(ctx, thread.patient, thread)
    for one in found:
        if one.instead_name:
            await let_in(ctx, thread.patient, one)
    await tell(ctx, (one.person for one in found), template)
    return bool(found)


async def tell_home(ctx: Ctx, thread: Thread, messages: Iterable[Written]) -> None:
    """The patient, and who of those at home wrote in this thread and is still let in."""
    own = await access.person_of_patient(ctx, thread.patient)
    readers = {
        one.person
        for one in await access.caregivers.of_patient(ctx, thread.patient)
        if "R" in one.actions and one.what & {"*", WHAT}
    }
    wrote = [one.person for one in messages if one.side == "home" and one.person in readers]
    await tell(ctx, [*([own.id] if own else []), *wrote], "messaging.message")
