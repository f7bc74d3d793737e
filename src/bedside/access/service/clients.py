"""Backend clients: registered by an operator, authenticated by secret or signed assertion, bound by their scopes.

SMART App Launch 2.2, Backend Services: hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from joserfc import jwk, jwt
from joserfc.errors import JoseError
from joserfc.jws import extract_compact

from bedside.access.model import scopes as grammar
from bedside.access.model.clients import Client
from bedside.access.service.keys import digest, new_token
from bedside.access.store import clients as store
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import BedsideError, Invalid, NotFound
from bedside.foundation.ids import uuid7

TOKEN_LIFE = timedelta(hours=1)
ALGORITHMS = ["RS384", "ES384"]
ASSERTION_LIFE = timedelta(minutes=5)
# What two clocks may differ.
LEEWAY = timedelta(seconds=30)


class OAuthError(BedsideError):
    """RFC 6749 §5.2. reason: invalid_client, invalid_grant, invalid_request, invalid_scope, unsupported_grant_type."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = 401 if reason == "invalid_client" else 400


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client as registered. secret: shown once; None where the client signs with its own key."""

    client_id: str
    client_secret: str | None
    name: str
    scopes: frozenset[str]


async def add_client(ctx: Ctx, name: str, scope: str, *, jwks: dict[str, Any] | None = None) -> NewClient:
    """Register a client, valid at once. Raises Invalid for a bad scope or key set."""
    wanted = grammar.parse(scope)
    if not name.strip():
        raise Invalid("A client needs a name.")
    if jwks is not None:
        _usable(jwks)
    secret = None if jwks is not None else new_token()
    client = Client(uuid7(), ctx.tenant, name, wanted, digest(secret) if secret else None, jwks)
    await store.insert_client(ctx.sql, client, ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"client/{client.id}")
    return NewClient(client.id, secret, name, wanted)


def _usable(jwks: dict[str, Any]) -> jwk.KeySet:
    given = jwks.get("keys")
    if not isinstance(given, list) or not all(
        isinstance(one, dict) and one.get("kty") in {"RSA", "EC"} for one in given
    ):
        raise Invalid("A key set has `keys`, each RSA (RS384) or EC P-384 (ES384).", where="jwks")
    try:
        keys = jwk.KeySet.import_key_set(jwks)  # type: ignore[arg-type]
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise Invalid("That is not a JSON Web Key Set.", where="jwks") from error
    if not keys.keys:
        raise Invalid("The key set is empty.", where="jwks")
    for key in keys.keys:
        if key.is_private:
            raise Invalid("This key set holds a private key: keep that, and give the public one.", where="jwks")
    return keys


async def clients(ctx: Ctx) -> list[Client]:
    """Those that are registered."""
    return await store.clients(ctx.sql, ctx.tenant)


async def end_client(ctx: Ctx, id: str) -> None:
    """A client and its tokens are good no longer. Raises NotFound."""
    if not await store.end_client(ctx.sql, ctx.tenant, id, ctx.clock.now()):
        raise NotFound("There is no such client.")
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"client/{id}")


async def by_secret(ctx: Ctx, id: str, secret: str) -> Client:
    """client_secret_basic. Raises OAuthError."""
    client = await store.client(ctx.sql, id)
    if client is None or client.secret is None or not hmac.compare_digest(client.secret, digest(secret)):
        raise OAuthError("invalid_client", "The client is unknown or its secret is wrong.")
    return client


async def by_assertion(ctx: Ctx, assertion: str, audiences: frozenset[str]) -> Client:
    """private_key_jwt: signed RS384 or ES384, iss = sub = client, aud = the token endpoint, good once and 5 min."""
    try:
        claimed = _claimed(assertion)
        client = await store.client(ctx.sql, claimed)
        if client is None or client.jwks is None:
            raise OAuthError("invalid_client", "The client is unknown or has no keys.")
        token = jwt.decode(assertion, _usable(client.jwks), algorithms=ALGORITHMS)
    except (JoseError, ValueError, KeyError, TypeError):
        raise OAuthError("invalid_client", "The assertion's signature does not hold.") from None
    claims = token.claims
    now = ctx.clock.now()
    audience = claims.get("aud")
    heard = set(audience) if isinstance(audience, list) else {audience}
    expires = claims.get("exp")
    begins = claims.get("nbf", 0)
    if claims.get("iss") != client.id or claims.get("sub") != client.id or not heard & audiences:
        raise OAuthError("invalid_client", "The assertion's iss, sub or aud is not right.")
    if isinstance(expires, bool) or not isinstance(expires, int | float) or not isinstance(begins, int | float):
        raise OAuthError("invalid_client", "The assertion has no exp.")
    if not now.timestamp() - LEEWAY.total_seconds() < expires <= (now + ASSERTION_LIFE + LEEWAY).timestamp():
        raise OAuthError("invalid_client", "The assertion has expired, or lasts longer than 5 minutes.")
    if begins > (now + LEEWAY).timestamp():
        raise OAuthError("invalid_client", "The assertion is not valid yet.")
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= 200:
        raise OAuthError("invalid_client", "The assertion has no jti.")
    if not await store.first_use(ctx.sql, client.id, jti, datetime.fromtimestamp(expires, UTC) + LEEWAY):
        raise OAuthError("invalid_client", "The assertion was used before.")
    return client


def _claimed(assertion: str) -> str:
    """Who an assertion says it is from, before anything is believed."""
    from orjson import loads

    subject = loads(extract_compact(assertion.encode()).payload).get("sub")
    if not isinstance(subject, str):
        raise OAuthError("invalid_client", "The assertion has no sub.")
    return subject


async def token_for(ctx: Ctx, client: Client, scope: str | None) -> tuple[str, frozenset[str]]:
    """A new access token and what it may. Raises OAuthError (invalid_scope) when nothing of what is asked is held."""
    try:
        asked = grammar.parse(scope) if scope else client.scopes
    except Invalid as error:
        raise OAuthError("invalid_scope", f"{error.message} {error.where or ''}".strip()) from None
    granted = grammar.narrow(asked, client.scopes)
    if not granted:
        raise OAuthError("invalid_scope", "The client holds none of these scopes.")
    ctx.trail.actor = Actor("client", client.id, client.name)
    token = new_token()
    await store.insert_token(ctx.sql, digest(token), client.id, granted, ctx.clock.now() + TOKEN_LIFE)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"client/{client.id}")
    return token, granted
