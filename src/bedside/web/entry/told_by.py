"""How whoever is signed in wants to be told, and where staff are reached: on a patient's Me page, on the account."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, messaging
from bedside.foundation.http import ctx_of


async def save(request: Request) -> Response:
    """POST: the channel."""
    said = str((await request.form()).get("channel") or "")
    back = request.url.path.removesuffix("/told-by")
    async with access.work(ctx_of(request), "chose how to be told") as ctx:
        await messaging.choose(ctx, "email" if said == "email" else "phone" if said == "phone" else None)
    return RedirectResponse(f"{back}?saved=1", 303)
