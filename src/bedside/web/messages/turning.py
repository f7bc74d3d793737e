"""What staff do with a conversation by one press: take, hand on, close, or make a visit, a task or a note of it."""

from __future__ import annotations

import base64
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, records, visits
from bedside.fhir import references
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of
from bedside.web.kit.places import N_
from bedside.web.kit.written import Translator, translator, when
from bedside.web.messages import form
from bedside.web.messages.talk import talk_page

FROM = N_("From a message: %(about)s")
DONE = {
    "take": N_("took a conversation"),
    "hand": N_("handed a conversation on"),
    "close": N_("closed a conversation"),
    "reopen": N_("opened a conversation again"),
    "visit": N_("made a visit of a conversation"),
    "task": N_("made a task of a conversation"),
    "note": N_("made a note of a conversation"),
    "done": N_("finished a task"),
}
"""What was done, as a patient reads it on "who looked at my record"."""
Form = dict[str, str]


async def deed(request: Request) -> Response:
    """POST /messages/{key}/{deed}."""
    key, name = request.path_params["key"], request.path_params["deed"]
    if name not in DONE:
        raise NotFound("There is no such step.")
    given = {field: str(value) for field, value in (await request.form()).items()}
    said = _Said(request)
    try:
        async with access.work(ctx_of(request), DONE[name]) as ctx:
            await _DEEDS[name](ctx, key, given, said)
    except BedsideError as error:
        return await talk_page(request, form.empty(), form.again(error))
    # Who closes goes on with the next; whoever handed it away may see it no longer.
    return RedirectResponse("/messages" if name in {"close", "hand"} else f"/messages/{key}", 303)


class _Said:
    """The reader's language and times, for what is put together in Python."""

    def __init__(self, request: Request) -> None:
        self.page = page_of(request)
        self.translate: Translator = translator(self.page.language)

    def about(self, thread: messaging.threads.Thread) -> str:
        """What the thread is about, as a line."""
        return self.translate(FROM) % {"about": self.translate(thread.about)}

    def whole(self, talk: messaging.threads.Talk) -> str:
        """A thread as plain text."""
        lines = [self.about(talk.thread)]
        for one in talk.messages:
            at = when(one.written.at, self.page.language, self.page.zone, self.page.now)
            lines.append(f"{one.written.name}, {at}:\n{one.text}")
            lines += [f"[{file.name}]" for file in one.files]
        return "\n\n".join(lines)


async def _take(ctx: Ctx, key: str, _: Form, __: _Said) -> None:
    await messaging.threads.take(ctx, key)


async def _hand(ctx: Ctx, key: str, given: Form, _: _Said) -> None:
    await messaging.threads.hand(ctx, key, given.get("person", ""))


async def _close(ctx: Ctx, key: str, _: Form, __: _Said) -> None:
    await messaging.threads.close(ctx, key)


async def _reopen(ctx: Ctx, key: str, _: Form, __: _Said) -> None:
    await messaging.threads.reopen(ctx, key)


async def _visit(ctx: Ctx, key: str, given: Form, said: _Said) -> None:
    """A visit: a clinician's own, a nurse's goes to the clinician on duty."""
    thread, id_ = await messaging.threads.find(ctx, key, "U", lock=True), _key(given)
    if await messaging.threads.from_ref(ctx, f"visit/{id_}"):
        return
    clinician = None
    if "clinician" not in ctx.actor.roles:
        found = await visits.clinicians_on_duty(ctx, thread.patient)
        if not found:
            raise Conflict("No clinician is here to hand it to.", remedy="Ring one.")
        clinician = found[0].id
    visit = await visits.ask(ctx, thread.patient, said.about(thread), clinician=clinician, id=id_)
    await messaging.threads.link(ctx, key, "visit", f"visit/{visit.id}")


async def _task(ctx: Ctx, key: str, given: Form, said: _Said) -> None:
    thread, id_ = await messaging.threads.find(ctx, key, "U", lock=True), _key(given)
    if await messaging.threads.from_ref(ctx, f"Task/{id_}"):
        return
    now = ctx.clock.now().isoformat()
    task: dict[str, Any] = {
        "resourceType": "Task",
        "id": id_,
        "status": "requested",
        "intent": "order",
        "priority": "urgent" if thread.urgent else "routine",
        "description": said.about(thread),
        "focus": {"reference": f"Communication/{thread.id}"},
        "for": {"reference": f"Patient/{thread.patient}"},
        "authoredOn": now,
        "lastModified": now,
    }
    if ctx.actor.reference:
        task["requester"] = task["owner"] = {"reference": ctx.actor.reference, "display": ctx.actor.name}
    await records.create(ctx, task)
    await messaging.threads.link(ctx, key, "task", f"Task/{id_}")


async def _done(ctx: Ctx, key: str, given: Form, _: _Said) -> None:
    thread = await messaging.threads.find(ctx, key, "U")
    ref = given.get("ref", "")
    known = await messaging.threads.from_ref(ctx, ref)
    if known is None or known.id != thread.id or not ref.startswith("Task/"):
        raise NotFound("There is no such task.")
    task = await records.read(ctx, "Task", ref.partition("/")[2])
    task = {name: value for name, value in task.items() if name != "meta"}
    await records.update(ctx, {**task, "status": "completed", "lastModified": ctx.clock.now().isoformat()})


async def _note(ctx: Ctx, key: str, given: Form, said: _Said) -> None:
    """Into the note of the clinician's open visit with this patient, else a draft of its own in the record."""
    talk, id_ = await messaging.threads.read(ctx, key), _key(given)
    patient, words = talk.thread.patient, said.whole(talk)
    if await messaging.threads.from_ref(ctx, f"DocumentReference/{id_}"):
        return
    if "clinician" in ctx.actor.roles:
        for visit in await visits.of_patient(ctx, patient, open_only=True):
            if visit.clinician != ctx.actor.id:
                continue
            ref = f"note/{visit.id}/{id_}"
            kept = await visits.notes.read(ctx, visit.id)
            if (kept and kept.signed_at) or await messaging.threads.from_ref(ctx, ref):
                return
            before = f"{kept.text.rstrip()}\n\n" if kept and kept.text.strip() else ""
            await visits.notes.save(ctx, visit.id, before + words, (kept.revision if kept else 0) + 1)
            await messaging.threads.link(ctx, key, "note", ref)
            return
    note: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": id_,
        "status": "current",
        "docStatus": "preliminary",
        "type": {"coding": [{"system": "http://loinc.org", "code": "34109-9", "display": "Note"}]},
        "subject": {"reference": f"Patient/{patient}"},
        "date": ctx.clock.now().isoformat(),
        "description": said.about(talk.thread),
        "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(words.encode()).decode()}}],
        "context": {"related": [{"reference": f"Communication/{talk.thread.id}"}]},
    }
    if ctx.actor.reference:
        note["author"] = [{"reference": ctx.actor.reference, "display": ctx.actor.name}]
    await records.create(ctx, note)
    await messaging.threads.link(ctx, key, "note", f"DocumentReference/{id_}")


def _key(given: Form) -> str:
    """The id that the form gives what is made, so that pressing twice makes one."""
    id_ = given.get("key", "")
    if not references.is_id(id_):
        raise Invalid("This form is damaged.", remedy="Open the page again.")
    return id_


_DEEDS: dict[str, Callable[[Ctx, str, Form, _Said], Awaitable[None]]] = {
    "take": _take,
    "hand": _hand,
    "close": _close,
    "reopen": _reopen,
    "visit": _visit,
    "task": _task,
    "note": _note,
    "done": _done,
}
ROUTES: list[BaseRoute] = [Route("/messages/{key}/{deed}", deed, methods=["POST"])]
