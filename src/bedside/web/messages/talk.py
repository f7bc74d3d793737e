"""One conversation: read by both sides, which is the receipt, and answered."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, records, visits
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.clinician.banner import banner_of
from bedside.web.kit import render
from bedside.web.kit.places import CLINICAL
from bedside.web.messages import form
from bedside.web.messages.words import AT_HOME, BECAME
from bedside.web.messages.write import danger


async def page(request: Request) -> Response:
    """GET /messages/{key}."""
    return await talk_page(request, form.empty())


async def talk_page(request: Request, typed: form.Typed, error: BedsideError | None = None) -> Response:
    """The conversation, with what was typed and what is wrong with it."""
    staff = bool(ctx_of(request).actor.roles & CLINICAL)
    async with access.work(ctx_of(request), "read a conversation") as ctx:
        talk = await messaging.threads.read(ctx, request.path_params["key"], seeing=request.method == "GET")
        thread = talk.thread
        data: dict[str, Any] = {
            "talk": talk,
            "thread": thread,
            "answerers": await messaging.threads.answerers(ctx, thread.patient, thread),
            "writes": await access.may(ctx, thread.patient, "C", what="Communication"),
        }
        if staff:
            data["patient"] = await banner_of(ctx, thread.patient)
            data["colleagues"] = [one for one in await messaging.threads.colleagues(ctx) if one.id != thread.assigned]
            data["made"] = await _made(ctx, talk)
    return render(
        request,
        "messages/desk.html" if staff else "messages/talk.html",
        error.status if error else 200,
        became=BECAME,
        at_home=AT_HOME,
        me=ctx_of(request).actor.id,
        fresh=uuid7(),
        sent="sent" in request.query_params,
        promised=None if staff else thread.promised,
        **data,
        **form.shown(typed, error),
    )


async def _made(ctx: Ctx, talk: messaging.threads.Talk) -> dict[str, dict[str, Any]]:
    """What the thread was turned into in the record, by reference: a task's state, a draft note's words."""
    found: dict[str, dict[str, Any]] = {}
    for event in talk.events:
        type_, _, id_ = (event.ref or "").partition("/")
        if type_ == "Task":
            task = await records.read(ctx, "Task", id_)
            found[f"Task/{id_}"] = {"says": task.get("description", ""), "done": task.get("status") == "completed"}
        elif type_ == "DocumentReference":
            note = visits.drafts.draft_of(await records.read(ctx, "DocumentReference", id_))
            mine = note.open and note.author == ctx.actor.reference
            found[f"DocumentReference/{id_}"] = {"says": note.text or "", "mine": mine, "signed": note.signed}
    return found


async def send(request: Request) -> Response:
    """POST: answer, once."""
    key, staff = request.path_params["key"], bool(ctx_of(request).actor.roles & CLINICAL)
    try:
        typed = await form.typed(request)
    except BedsideError as error:
        return await talk_page(request, form.empty(), form.again(error))

    async def about(ctx: Ctx) -> str:
        return (await messaging.threads.find(ctx, key)).patient

    if not staff and typed.signs and not typed.anyway:
        async with access.work(ctx_of(request), "read a conversation", readonly=True) as ctx:
            await messaging.threads.find(ctx, key)
        return danger(request, await form.held(request, typed, about), f"/messages/{key}")
    try:
        async with access.work(ctx_of(request), "wrote a message") as ctx:
            await messaging.threads.answer(ctx, key, typed.new)
    except BedsideError as error:
        wrong = form.again(error)
        return await talk_page(request, await form.held(request, typed, about), wrong)
    return RedirectResponse(f"/messages/{key}?sent#last", 303)


ROUTES: list[BaseRoute] = [Route("/messages/{key}", page), Route("/messages/{key}", send, methods=["POST"])]
