"""Who asks: from a session cookie or a bearer token to the ctx of a request."""

from __future__ import annotations

from dataclasses import dataclass

from bedside.access import settings
from bedside.access.model.people import Person
from bedside.access.model.sign_in import Session
from bedside.access.service.actors import actor_of, purpose_of
from bedside.access.service.keys import digest
from bedside.access.service.sessions import TOUCH, cookie_name
from bedside.access.store import clients, sessions
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import SignInNeeded


@dataclass(frozen=True, slots=True)
class Recognised:
    """A request's ctx, and for a person who they are and the session they are in."""

    ctx: Ctx
    person: Person | None = None
    session: Session | None = None


async def by_token(ctx: Ctx, token: str) -> Recognised:
    """The backend client of a bearer token. Raises SignInNeeded."""
    found = await ctx.database.together(clients.tokens, (digest(token), ctx.clock.now()))
    if found is None:
        raise SignInNeeded(
            "The access token is unknown or has expired.", remedy="Ask the token endpoint for a new one."
        )
    client, scopes = found
    actor = Actor("client", client.id, client.name, scopes=scopes)
    return Recognised(ctx.with_(actor=actor, tenant=client.tenant, purpose="TREAT"))


async def by_cookie(ctx: Ctx, cookies: dict[str, str], *, agent: str, background: bool) -> Recognised:
    """The person of a session cookie; nobody when there is none or it has ended.

    background: the page asked by itself (polling), which does not keep a session from idling away.
    """
    token = cookies.get(cookie_name(ctx))
    if not token:
        return Recognised(ctx)
    now = ctx.clock.now()
    async with ctx.database.connection() as sql:
        found = await sessions.find(sql, digest(token), now)
        if found is None:
            return Recognised(ctx)
        session, person, tenant = found
        if session.kind == "display" and session.agent != agent[:200]:
            # A wall's session belongs to the browser it was opened in.
            return Recognised(ctx)
        if session.idle is not None and not background and now - session.seen > TOUCH:
            await sessions.touch(sql, session.id, now)
    actor = actor_of(person, session.id)
    return Recognised(ctx.with_(actor=actor, tenant=tenant, purpose=purpose_of(person.roles)), person, session)


def warns_at(ctx: Ctx) -> float:
    """Seconds before the idle limit at which a page says so."""
    return settings.of(ctx.database).warning.total_seconds()
