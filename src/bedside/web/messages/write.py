"""A new conversation: the patient, or who acts for them, writes to the clinic; staff write to a patient.

Words of danger stop it before it is sent, with the emergency number; "send all the same" stays (hazard H125).
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict
from bedside.foundation.http import ctx_of
from bedside.web.clinician.banner import banner_of
from bedside.web.kit import page_of, render
from bedside.web.messages import form
from bedside.web.messages.words import SIGNS
from bedside.web.patient.whose import whose


async def page(request: Request) -> Response:
    """GET /messages/new, and of staff /patients/{id}/messages/new."""
    return await _page(request, form.empty())


async def _page(request: Request, typed: form.Typed, error: BedsideError | None = None) -> Response:
    staff = "id" in request.path_params
    async with access.work(ctx_of(request), "opened a new message", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
        await access.authorise(ctx, patient, "R", what="Communication")
        answerers = [] if staff else await messaging.threads.answerers(ctx, patient)
        promised = None if staff else await messaging.threads.by_when(ctx)
        banner = await banner_of(ctx, patient) if staff else None
    if not staff and not answerers and error is None:
        error = Conflict("Nobody at the clinic would read this yet.", remedy="Ring the clinic.")
    return render(
        request,
        "messages/begin.html" if staff else "messages/write.html",
        error.status if error else 200,
        kinds=messaging.threads.KINDS,
        answerers=answerers,
        promised=promised,
        patient=banner,
        other=name if name != page_of(request).actor.name else "",
        **form.shown(typed, error),
    )


async def send(request: Request) -> Response:
    """POST: send it, once."""
    staff = "id" in request.path_params
    try:
        typed = await form.typed(request)
    except BedsideError as error:
        return await _page(request, form.empty(), form.again(error))

    async def about(ctx: Ctx) -> str:
        return (await whose(request, ctx))[0]

    if not staff and typed.signs and not typed.anyway:
        return danger(request, await form.held(request, typed, about), "/messages/new")
    try:
        async with access.work(ctx_of(request), "wrote a message") as ctx:
            patient, _ = await whose(request, ctx)
            thread = await messaging.threads.begin(ctx, patient, typed.kind, typed.new)
    except BedsideError as error:
        wrong = form.again(error)
        return await _page(request, await form.held(request, typed, about), wrong)
    return RedirectResponse(f"/messages/{thread.id}?sent#last", 303)


async def discard(request: Request) -> Response:
    """POST: it is not sent; the files that were kept for it are thrown away."""
    key = str((await request.form()).get("key") or "")
    async with access.work(ctx_of(request), "did not send a message") as ctx:
        await messaging.threads.discard(ctx, key)
    return RedirectResponse("/messages", 303)


def danger(request: Request, typed: form.Typed, action: str) -> Response:
    """Stopped: the emergency number first, nothing was sent, and the message is still there."""
    return render(
        request,
        "messages/danger.html",
        422,
        action=action,
        signs=[SIGNS[sign] for sign in typed.signs],
        **form.shown(typed, None),
    )


ROUTES: list[BaseRoute] = [
    Route("/messages/new", page),
    Route("/messages/new", send, methods=["POST"]),
    Route("/messages/unsent", discard, methods=["POST"]),
    Route("/patients/{id}/messages/new", page),
    Route("/patients/{id}/messages/new", send, methods=["POST"]),
]
