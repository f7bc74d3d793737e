"""Notices that did not arrive or that nobody opened, by person, with what to do; for administrators also a test of each
way out.

At /admin/notices for administrators (colleagues), at /notices for clinicians and nurses (patients they care for, and
whom these let in). Purpose: that somebody rings who was not reached.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render

STATES = {
    "waiting": N_("on its way"),
    "sent": N_("not opened in time"),
    "delivered": N_("arrived, not opened in time"),
    "refused": N_("refused"),
    "bounced": N_("came back"),
    "failed": N_("given up"),
    "held": N_("held"),
}
"""What became of one that is work, in a word."""
TESTED = {
    "waiting": N_("It is on its way: look again in a moment."),
    "sent": N_("A server took it over. Look whether it arrived."),
    "delivered": N_("It arrived, says who delivered it."),
}
DONE = {
    "told": N_("rang them or told them"),
    "needless": N_("nobody needs it any more"),
    "other": N_("seen to another way"),
}
SAID = {
    "closed": N_("Seen to"),
    "open": N_("It is open again"),
    "again": N_("Sent again"),
    "address": N_("The address is changed"),
    "test": N_("A test is on its way to you"),
}


@dataclass(frozen=True, slots=True)
class Way:
    """One way out, for the test. address: the reader's own. last: what became of the newest test."""

    channel: messaging.Channel
    set_up: bool
    address: str | None
    last: messaging.Sent | None


async def page(request: Request) -> Response:
    """GET."""
    return await _page(request)


async def _page(
    request: Request, error: BedsideError | None = None, about: str = "", typed: dict[str, str] | None = None
) -> Response:
    ctx = ctx_of(request)
    async with access.work(ctx, "looked who was not reached", readonly=True) as inner:
        found, others = await messaging.failing(inner)
        administers = "administrator" in inner.actor.roles
        ways = await _ways(inner) if administers else []
        standing = await messaging.standing(inner) if administers else None
    language = page_of(request).language
    subjects = {one.template: messaging.subject(one.template, language) for who in found for one in who.notices}
    return render(
        request,
        "admin/notices.html",
        error.status if error else 200,
        found=found,
        others=others,
        administers=administers,
        ways=ways,
        standing=standing,
        subjects=subjects,
        reasons=messaging.REASONS,
        states=STATES,
        tested=TESTED,
        done=DONE,
        said=next((SAID[name] for name in SAID if name in request.query_params), None),
        back=f"{_here(request)}/{quote(closed)}/reopen" if (closed := request.query_params.get("closed")) else None,
        here=_here(request),
        me=ctx.actor.id,
        error=error,
        about=about,
        typed=typed or {},
    )


async def _ways(ctx: Ctx) -> list[Way]:
    me = await access.person(ctx, ctx.actor.id)
    return [
        Way("email", messaging.leads_out(ctx, "email"), me.email, await messaging.last_test(ctx, "email")),
        Way("phone", messaging.leads_out(ctx, "phone"), me.phone, await messaging.last_test(ctx, "phone")),
    ]


def _here(request: Request) -> str:
    return "/admin/notices" if request.url.path.startswith("/admin") else "/notices"


async def test(request: Request) -> Response:
    """POST: a test to oneself by one channel."""
    channel = str((await request.form()).get("channel") or "")
    if channel not in ("email", "phone"):
        raise Invalid("There is no such channel.", where="channel")
    async with access.work(ctx_of(request), "sent a test notice") as ctx:
        await messaging.send_test(ctx, "email" if channel == "email" else "phone")
    return RedirectResponse(f"{_here(request)}?test#ways", 303)


async def close(request: Request) -> Response:
    """POST: these notices of a person are seen to."""
    form = await request.form()
    person = request.path_params["person"]
    try:
        async with access.work(ctx_of(request), "saw to notices that did not arrive") as ctx:
            await messaging.seen_to(ctx, person, _ids(form.getlist("notice")), str(form.get("how") or ""))
    except Invalid as error:
        return await _page(request, error, person)
    return RedirectResponse(f"{_here(request)}?closed={quote(person)}", 303)


async def reopen(request: Request) -> Response:
    """POST: that was a slip; they are work again."""
    async with access.work(ctx_of(request), "took back that notices were seen to") as ctx:
        await messaging.not_seen_to(ctx, request.path_params["person"])
    return RedirectResponse(f"{_here(request)}?open", 303)


async def again(request: Request) -> Response:
    """POST: send them once more."""
    form = await request.form()
    person = request.path_params["person"]
    try:
        async with access.work(ctx_of(request), "sent notices again") as ctx:
            await messaging.send_again(ctx, person, _ids(form.getlist("notice")))
    except Conflict as error:
        return await _page(request, error, person)
    return RedirectResponse(f"{_here(request)}?again", 303)


async def address(request: Request) -> Response:
    """POST: another address of a patient or of whom they let in."""
    form = await request.form()
    person = request.path_params["person"]
    typed = {name: str(form.get(name) or "") for name in ("email", "phone")}
    try:
        async with access.work(ctx_of(request), "corrected where a person is told") as ctx:
            await messaging.correct(ctx, person, typed["email"], typed["phone"])
    except (Invalid, Conflict) as error:
        return await _page(request, error, person, typed)
    return RedirectResponse(f"{_here(request)}?address", 303)


def _ids(said: Sequence[object]) -> list[str]:
    return [str(one) for one in said]


ROUTES: list[BaseRoute] = [
    *(
        route
        for base in ("/admin/notices", "/notices")
        for route in (
            Route(base, page),
            Route(f"{base}/{{person}}/close", close, methods=["POST"]),
            Route(f"{base}/{{person}}/reopen", reopen, methods=["POST"]),
            Route(f"{base}/{{person}}/again", again, methods=["POST"]),
            Route(f"{base}/{{person}}/address", address, methods=["POST"]),
        )
    ),
    Route("/admin/notices/test", test, methods=["POST"]),
]
