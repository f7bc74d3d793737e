"""Server-side sessions: opened by a sign-in, found by every request, ended by the person or by time."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.responses import Response

from bedside.access import settings
from bedside.access.model.people import STAFF, NewPerson, Person
from bedside.access.model.sign_in import Session, SignedIn
from bedside.access.service.decide import require
from bedside.access.service.duties import set_duty
from bedside.access.service.keys import digest, new_token
from bedside.access.service.people import add_person, person, place_name
from bedside.access.store import applicants, recovery
from bedside.access.store import sessions as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden
from bedside.foundation.ids import uuid7

# A request is noted when the last note is this old: not every click is a write.
TOUCH = timedelta(seconds=30)


async def open_session(ctx: Ctx, person: Person, *, agent: str = "") -> SignedIn:
    """A new session for a person who has shown who they are."""
    chosen = settings.of(ctx.database)
    staff = bool(person.roles & STAFF)
    lasts = chosen.life_staff if staff else chosen.life_patient
    idle = chosen.idle_staff if staff else chosen.idle_patient
    return await _open(ctx, person, "browser", lasts, idle, agent)


async def _open(ctx: Ctx, person: Person, kind: str, lasts: timedelta, idle: timedelta | None, agent: str) -> SignedIn:
    now = ctx.clock.now()
    token = new_token()
    session = Session(
        uuid7(),
        person.id,
        "display" if kind == "display" else "browser",
        ctx.origin[:100],
        agent[:200],
        now,
        now,
        now + lasts,
        idle,
    )
    await store.insert_session(ctx.sql, ctx.tenant, session, digest(token))
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"session/{session.id}")
    return SignedIn(token, session.id, person, lasts)


async def open_display(ctx: Ctx, place: str, *, agent: str = "") -> SignedIn:
    """Make this browser a wall of a place: a read-only session bound to the device, which stays on.

    Raises Forbidden unless a nurse or an administrator asks. The wall sees who is watched in the place, and no more;
    acknowledging on it asks for a person's PIN or passkey (confirm).
    """
    await require(ctx, "nurse", "administrator")
    asking = await person(ctx, ctx.actor.id)
    name = f"Wall, {await place_name(ctx, place)}"
    # It hangs where they work: their clock, their language, their units.
    new = NewPerson(
        name=name, roles=frozenset({"display"}), zone=asking.zone, language=asking.language, units=asking.units
    )
    display = await add_person(ctx, new)
    await set_duty(ctx, person=display.id, place=place, role="display")
    return await _open(ctx, display, "display", timedelta(days=365), None, agent)


async def sign_out(ctx: Ctx) -> None:
    """End the session of this request."""
    if ctx.actor.kind == "person" and ctx.actor.session:
        await store.end(ctx.sql, ctx.tenant, ctx.actor.id, ctx.clock.now(), ctx.actor.session)
        ctx.trail.wrote = True


async def sign_out_everywhere(ctx: Ctx, person: str | None = None) -> int:
    """End every session of a person: one's own, or, for an administrator, anybody's. Returns how many."""
    if person is not None and person != ctx.actor.id:
        await require(ctx, "administrator")
    if ctx.actor.kind != "person":
        raise Forbidden("Only a person has sessions.")
    ctx.trail.wrote = True
    whose = person or ctx.actor.id
    ctx.then(lambda: ctx.bus.publish(f"access.ended.{ctx.tenant}.{whose}", {}))
    return await store.end(ctx.sql, ctx.tenant, whose, ctx.clock.now())


async def sessions(ctx: Ctx) -> list[Session]:
    """One's own open sessions, the latest used first."""
    return await store.of_person(ctx.sql, ctx.tenant, ctx.actor.id, ctx.clock.now())


async def last_seen(ctx: Ctx, id: str) -> datetime | None:
    """When somebody last did something here; None: not for a long time. For the program's own work, not for pages."""
    if ctx.actor.kind != "job":
        raise Forbidden("When somebody was here is not told.")
    return await store.last_seen(ctx.sql, ctx.tenant, id)


async def keep_alive(ctx: Ctx) -> bool:
    """The person is here, though no request says so: an open visit's heartbeat. Own transaction; no audit entry.

    False when their session has ended; True for who needs none (a guest by a link).
    """
    if not ctx.actor.session:
        return True
    async with ctx.database.transaction() as sql:
        await store.touch(sql, ctx.actor.session, ctx.clock.now())
        return await store.is_open(sql, ctx.actor.session)


def cookie_name(ctx: Ctx) -> str:
    """__Host- pins the cookie to this host and to https; a browser refuses the prefix on http://localhost."""
    return "__Host-bedside" if settings.of(ctx.database).secure else "bedside"


def set_cookie(ctx: Ctx, response: Response, signed_in: SignedIn) -> None:
    """Give the browser its session."""
    response.set_cookie(
        cookie_name(ctx),
        signed_in.token,
        max_age=int(signed_in.lasts.total_seconds()),
        path="/",
        httponly=True,
        samesite="lax",
        secure=settings.of(ctx.database).secure,
    )


def drop_cookie(ctx: Ctx, response: Response) -> None:
    """Take it back."""
    response.delete_cookie(
        cookie_name(ctx), path="/", httponly=True, samesite="lax", secure=settings.of(ctx.database).secure
    )


async def forget(ctx: Ctx, _: dict[str, object]) -> None:
    """A job: remove sessions, one-time secrets and tokens that ended more than a day ago, and who never confirmed."""
    async with ctx.database.transaction() as sql:
        await store.forget(sql, ctx.clock.now() - timedelta(days=1))
        await applicants.forget(sql, ctx.clock.now())
        await recovery.forget(sql, ctx.clock.now() - timedelta(days=1))
