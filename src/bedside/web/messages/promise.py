"""By when the clinic answers messages: the administrator says it, and everybody who writes reads it."""

from __future__ import annotations

import re
from datetime import date, time

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.messages import form
from bedside.web.rota.words import DAYS


async def page(request: Request) -> Response:
    """GET /admin/messages."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: FormData | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the promise of answers", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        holds = await messaging.threads.promise(ctx)
        example = await messaging.threads.by_when(ctx)
    shown = {
        "days": str(holds.days),
        "weekdays": [str(day) for day in sorted(holds.weekdays)],
        "closes": f"{holds.closes:%H:%M}",
        "closed": "\n".join(day.isoformat() for day in sorted(holds.closed)),
    }
    if typed is not None:
        shown = {name: str(typed.get(name) or "") for name in shown} | {
            "weekdays": list(map(str, typed.getlist("weekdays")))
        }
    return render(
        request,
        "messages/promise.html",
        error.status if error else 200,
        typed=shown,
        days={str(day): word for day, word in DAYS.items()},
        zone=page_of(request).clinic.zone,
        example=example,
        error=error,
        done="set" in request.query_params,
    )


async def save(request: Request) -> Response:
    """POST: from now on this is promised."""
    given = await request.form()
    try:
        said = promised(given)
        async with access.work(ctx_of(request), "set the promise of answers") as ctx:
            await messaging.threads.set_promise(ctx, said)
    except BedsideError as error:
        return await _page(request, form.again(error), given)
    return RedirectResponse("/admin/messages?set", 303)


def promised(given: FormData) -> messaging.threads.Promise:
    """The form as it is kept. Raises Invalid (where: the field)."""
    days = str(given.get("days") or "")
    if not (days.isascii() and days.isdecimal()):
        raise Invalid("Only a number, please.", where="days")
    try:
        closes = time.fromisoformat(str(given.get("closes") or ""))
    except ValueError:
        raise Invalid("A time is written as 08:30.", where="closes") from None
    try:
        closed = frozenset(
            date.fromisoformat(one) for one in re.split(r"[\s,;]+", str(given.get("closed") or "")) if one
        )
    except ValueError:
        raise Invalid("A day is written as 2027-12-31.", where="closed") from None
    weekdays = frozenset(int(str(one)) for one in given.getlist("weekdays") if str(one) in set("1234567"))
    return messaging.threads.Promise(min(int(days), 99), weekdays, closes, closed)


ROUTES: list[BaseRoute] = [Route("/admin/messages", page), Route("/admin/messages", save, methods=["POST"])]
