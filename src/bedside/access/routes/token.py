"""POST /oauth/token: client_credentials by client_secret_basic or private_key_jwt."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from bedside.access import settings
from bedside.access.service import clients, limits
from bedside.access.service.clients import TOKEN_LIFE, OAuthError
from bedside.access.service.unit import work
from bedside.foundation.context import Ctx
from bedside.foundation.errors import TooMany
from bedside.foundation.http import ctx_of

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def token(request: Request) -> Response:
    """RFC 6749 §4.4: answers with the token, or with an error object of §5.2."""
    ctx = ctx_of(request)
    try:
        form = dict(await request.form())
        show = _shown(request, form)
        # Before the transaction: a try counts though it fails, and takes no second connection.
        await limits.spend(ctx, "token", show.id or ctx.origin)
        async with work(ctx, "gave a client its token") as inner:
            if form.get("grant_type") != "client_credentials":
                raise OAuthError("unsupported_grant_type", "Only client_credentials is served here.")
            client = (
                await clients.by_secret(inner, show.id, show.secret)
                if show.id
                else await clients.by_assertion(inner, show.secret, _audiences(ctx, request))
            )
            scope = form.get("scope")
            value, granted = await clients.token_for(
                inner.with_(tenant=client.tenant), client, scope if isinstance(scope, str) else None
            )
    except TooMany as error:
        return JSONResponse(
            {"error": "temporarily_unavailable", "error_description": error.message},
            429,
            headers={"retry-after": str(error.retry_after)},
        )
    except OAuthError as error:
        headers = {"www-authenticate": 'Basic realm="bedside"'} if error.status == 401 else {}
        return JSONResponse({"error": error.reason, "error_description": error.message}, error.status, headers=headers)
    return JSONResponse(
        {
            "access_token": value,
            "token_type": "bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
            "scope": " ".join(sorted(granted)),
        },
        headers={"cache-control": "no-store", "pragma": "no-cache"},
    )


@dataclass(frozen=True, slots=True)
class Shown:
    """What a client shows: its id and secret, or, without id, a signed assertion."""

    id: str
    secret: str


def _shown(request: Request, form: dict[str, Any]) -> Shown:
    kind, _, value = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise OAuthError("invalid_client", "The Authorization header cannot be read.") from None
        # RFC 6749 §2.3.1: both parts were form-encoded before.
        return Shown(unquote_plus(name) or "-", unquote_plus(secret))
    if form.get("client_assertion_type") == JWT_BEARER and isinstance(form.get("client_assertion"), str):
        return Shown("", form["client_assertion"])
    raise OAuthError("invalid_client", "Authenticate with client_secret_basic or private_key_jwt.")


def _audiences(ctx: Ctx, request: Request) -> frozenset[str]:
    """The token endpoint as clients may know it: by the public address, or as this request reached it."""
    public = settings.of(ctx.database).public_url.rstrip("/")
    return frozenset({f"{public}/oauth/token", str(request.url.replace(query="", fragment=""))})
