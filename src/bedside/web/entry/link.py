"""Where a one-time link leads. Opening it consumes nothing, since mail scanners open links too; the button does.

An invitation is answered with a passkey, or with a password and then an authenticator app.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Forbidden
from bedside.foundation.http import ctx_of
from bedside.web.entry.sign_in import TOLD, agent_of, entered, json_of, leave_former, step
from bedside.web.kit import render


async def landing(request: Request) -> Response:
    """GET: what the link is for, and a button; or that it is spent, and the way to a new one."""
    return await _landing(request)


async def _landing(request: Request, error: BedsideError | None = None) -> Response:
    ctx, token = ctx_of(request), request.path_params["token"]
    kind = await access.sign_in.link_kind(ctx, token)
    passkey = kind == "invitation" and await access.invited.may_begin(ctx, token)
    status = error.status if error else (200 if kind else 410)
    return render(request, "entry/link.html", status, kind=kind, error=error, passkey=passkey)


async def use(request: Request) -> Response:
    """POST: in, or a new password and in."""
    ctx, token = ctx_of(request), request.path_params["token"]
    form = await request.form()
    try:
        kind = await access.sign_in.link_kind(ctx, token)
        if kind in {"invitation", "recover"}:
            if form.get("password") != form.get("again"):
                raise Forbidden("The two passwords are not the same.")
            done = await access.sign_in.with_new_password(
                ctx, token, str(form.get("password") or ""), agent=agent_of(request)
            )
            return await step(request, done, "/")
        return await entered(request, await access.sign_in.with_link(ctx, token, agent=agent_of(request)), "/")
    except TOLD as error:
        return await _landing(request, error)


async def passkey_options(request: Request) -> Response:
    """What the browser needs to make the invited person's passkey."""
    options = await access.invited.options(ctx_of(request), request.path_params["token"])
    return Response(options, media_type="application/json")


async def passkey(request: Request) -> Response:
    """The passkey that was made: in."""
    ctx, said = ctx_of(request), await json_of(request)
    done = await access.invited.with_passkey(
        ctx,
        request.path_params["token"],
        str(said.get("answer") or ""),
        str(said.get("label") or ""),
        agent=agent_of(request),
    )
    await leave_former(request)
    response = JSONResponse({"next": "/"})
    access.set_cookie(ctx, response, done)
    return response
