"""The sign-in page's doors. Each opens its own work, counts the try first, and answers alike and in like time
whether an account exists or not.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import pyotp

from bedside.access import settings
from bedside.access.model.people import STAFF, Person
from bedside.access.model.sign_in import NextStep, SignedIn
from bedside.access.service import clinic, keys, limits
from bedside.access.service.actors import actor_of
from bedside.access.service.decide import require
from bedside.access.service.people import people, person
from bedside.access.service.sessions import open_session
from bedside.access.service.unit import work
from bedside.access.store import credentials as store
from bedside.access.store import people as people_store
from bedside.access.store import sessions
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid, NotFound
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue

REFUSED = "That did not match. Check what you typed."
REMEDY = "If you cannot get in, use the help below: nothing is lost."
TICKET = timedelta(minutes=10)
CODE = timedelta(minutes=10)
INVITATION = timedelta(days=7)
LINKS = ["link", "invitation", "recover"]
PASSWORD = 10
"""Fewest characters; ASVS 5.0 6.2.1 asks for 8, and no composition rules (6.2.5)."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app is given. uri: otpauth, for the QR code. secret: base32, for typing."""

    uri: str
    secret: str


@asynccontextmanager
async def even(ctx: Ctx) -> AsyncIterator[None]:
    """Whatever happens inside takes the same time."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + settings.of(ctx.database).answer_after
    try:
        yield
    finally:
        await asyncio.sleep(max(0.0, ends - loop.time()))


def refuse(ctx: Ctx, why: str) -> Forbidden:
    """The one refusal of every door; why goes to the audit alone."""
    ctx.trail.refused = why
    return Forbidden(REFUSED, remedy=REMEDY)


def typed_address(typed: str) -> tuple[str | None, str | None]:
    """(e-mail, telephone) as typed: one of the two."""
    typed = typed.strip()[:200]
    if "@" in typed:
        return typed, None
    digits = "".join(c for c in typed if c.isdigit() or c == "+")
    return None, digits or None


async def _tried(ctx: Ctx, name: str, typed: str) -> None:
    await limits.spend(ctx, name, typed)
    await limits.spend(ctx, "send-origin" if name == "send" else "sign-in-origin", ctx.origin)


async def with_password(ctx: Ctx, name: str, password: str, *, agent: str = "") -> SignedIn | NextStep:
    """By e-mail (or telephone) and password. Staff get a NextStep: their app's code, or setting that up.

    Raises Forbidden (always the same words), TooMany.
    """
    await _tried(ctx, "sign-in", name)
    async with even(ctx), work(ctx, "signed in with a password") as inner:
        email, phone = typed_address(name)
        found = await people_store.persons_at(inner.sql, inner.tenant, email=email, phone=phone)
        for who in found:
            if await keys.matches(password, await store.secret(inner.sql, who.id, "password")):
                inner.trail.actor = actor_of(who, None)
                return await _entered(inner, who, agent)
        if not found:
            await keys.matches(password, None)
        raise refuse(inner, "wrong password")


async def _entered(ctx: Ctx, who: Person, agent: str) -> SignedIn | NextStep:
    """The first factor was right: patients are in, staff go on to the second."""
    if not who.roles & STAFF:
        return await open_session(ctx, who, agent=agent)
    enrolled = await store.secret(ctx.sql, who.id, "totp") is not None
    if not enrolled and await store.passkeys(ctx.sql, who.id):
        # Never an app's set-up: whoever reads their e-mail could make a password, and a second factor with it.
        return NextStep("passkey", "")
    ticket = keys.new_token()
    await store.put_one_time(
        ctx.sql,
        keys.digest(ticket),
        ctx.tenant,
        who.id,
        "code" if enrolled else "enrol",
        ctx.clock.now() + TICKET,
    )
    return NextStep("code" if enrolled else "enrol", ticket)


async def enrolment(ctx: Ctx, ticket: str) -> Enrolment:
    """What to put into the authenticator app. Raises Forbidden when the ticket is used or too old."""
    async with work(ctx, "set up a second factor", readonly=True) as inner:
        id = await store.peek_one_time(inner.sql, inner.tenant, keys.digest(ticket), ["enrol"], inner.clock.now())
        if id is None:
            raise refuse(inner, "ticket")
        who = await person(inner, id)
        secret = _totp_secret(inner, ticket)
        issuer = await clinic.name(inner)
        uri = pyotp.TOTP(secret).provisioning_uri(name=who.email or who.name, issuer_name=issuer)
        return Enrolment(uri, secret)


def _totp_secret(ctx: Ctx, ticket: str) -> str:
    """Follows from the ticket and the installation's key, so that a half-made set-up leaves nothing behind."""
    return base64.b32encode(keys.keyed(settings.of(ctx.database).home, "totp", ticket)[:20]).decode()


async def with_app_code(ctx: Ctx, ticket: str, code: str, *, agent: str = "") -> SignedIn:
    """The second step: six digits from the authenticator app (RFC 6238, one step of drift). Raises Forbidden."""
    await limits.spend(ctx, "confirm", ticket)
    async with work(ctx, "signed in with a second factor") as inner:
        now, digest = inner.clock.now(), keys.digest(ticket)
        for kind in ("code", "enrol"):
            id = await store.peek_one_time(inner.sql, inner.tenant, digest, [kind], now)
            if id is not None:
                break
        else:
            raise refuse(inner, "ticket")
        who = await person(inner, id)
        inner.trail.actor = actor_of(who, None)
        home = settings.of(ctx.database).home
        if kind == "enrol":
            secret = _totp_secret(inner, ticket)
        else:
            kept = await store.secret(inner.sql, id, "totp")
            secret = keys.opened(home, kept or "")
        step = _step(secret, code, int(now.timestamp()))
        if step is None:
            raise refuse(inner, "wrong code")
        if kind == "enrol":
            await store.put_secret(inner.sql, id, "totp", keys.sealed(home, secret), now)
        if not await store.spend_step(inner.sql, id, step):
            raise refuse(inner, "code used before")
        await store.take_one_time(inner.sql, inner.tenant, digest, [kind], now)
        return await open_session(inner, who, agent=agent)


def _step(secret: str, code: str, now: int) -> int | None:
    """The 30 s step that a code is of: this one, the one before or the next."""
    totp = pyotp.TOTP(secret)
    typed = "".join(c for c in code if c.isdigit())
    for drift in (0, -1, 1):
        if totp.verify(typed, for_time=now + 30 * drift):
            return now // 30 + drift
    return None


async def send(ctx: Ctx, address: str, *, agent: str = "") -> None:
    """Send what lets them in to an e-mail or telephone, if it is somebody's: a link and a code to patients and
    caregivers, a link to set a new password to staff. Says nothing of whether it was. Raises TooMany."""
    await _tried(ctx, "send", address)
    async with even(ctx), work(ctx, "asked for a sign-in link") as inner:
        email, phone = typed_address(address)
        for who in await people_store.persons_at(inner.sql, inner.tenant, email=email, phone=phone):
            if who.roles & STAFF:
                if email is not None:
                    await send_link(inner, who, "recover", timedelta(hours=1), "email")
            else:
                await send_link(inner, who, "link", CODE, "email" if email else "phone", code=keys.new_code())


async def send_link(
    ctx: Ctx, who: Person, kind: str, lasts: timedelta, channel: str | None, *, code: str | None = None
) -> str:
    """Make a one-time link of a kind, which ends those before it, and have a notice carry it by the channel (None: by
    none). Returns it. Callers have decided that it may be made: this asks no policy."""
    now = ctx.clock.now()
    chosen = settings.of(ctx.database)
    await store.drop_one_time(ctx.sql, who.id, kind, *(["sign-in-code"] if code else []))
    token = keys.new_token()
    await store.put_one_time(ctx.sql, keys.digest(token), ctx.tenant, who.id, kind, now + lasts)
    link = f"{chosen.public_url.rstrip('/')}/enter/{token}"
    data = {"name": who.name, "link": link, "minutes": int(lasts.total_seconds() // 60)}
    if code is not None:
        digest = keys.keyed(chosen.home, "code", who.id, code)
        await store.put_one_time(ctx.sql, digest, ctx.tenant, who.id, "sign-in-code", now + lasts)
        data["code"] = code
    if channel is not None:
        await enqueue(
            ctx,
            "messaging.send",
            {"id": uuid7(), "person": who.id, "template": f"access.{kind}", "data": data, "channel": channel},
        )
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{who.id}")
    return link


async def with_code(ctx: Ctx, address: str, code: str, *, agent: str = "") -> SignedIn:
    """The six digits that were sent to this address. Good once, 10 minutes, 5 tries. Raises Forbidden, TooMany."""
    await limits.spend(ctx, "code", address)
    typed = "".join(c for c in code if c.isdigit())
    async with even(ctx), work(ctx, "signed in with a code") as inner:
        home = settings.of(ctx.database).home
        email, phone = typed_address(address)
        for who in await people_store.persons_at(inner.sql, inner.tenant, email=email, phone=phone):
            digest = keys.keyed(home, "code", who.id, typed)
            if await store.take_one_time(inner.sql, inner.tenant, digest, ["sign-in-code"], inner.clock.now()):
                await store.drop_one_time(inner.sql, who.id, "link", "sign-in-code")
                inner.trail.actor = actor_of(who, None)
                return await open_session(inner, who, agent=agent)
        raise refuse(inner, "wrong code")


async def link_kind(ctx: Ctx, token: str) -> str | None:
    """What a link is for (link, invitation, recover), if it is good. A mail scanner may ask: nothing is consumed."""
    async with work(ctx, "opened a link", readonly=True) as inner:
        found = await store.kind_of_one_time(inner.sql, inner.tenant, keys.digest(token), inner.clock.now())
    return found[0] if found and found[0] in LINKS else None


async def with_link(ctx: Ctx, token: str, *, agent: str = "") -> SignedIn:
    """Sign in by a patient's one-time link; consumes it. Raises Forbidden, TooMany."""
    await limits.spend(ctx, "link", ctx.origin)
    async with work(ctx, "signed in with a link") as inner:
        id = await store.take_one_time(inner.sql, inner.tenant, keys.digest(token), ["link"], inner.clock.now())
        if id is None:
            raise refuse(inner, "link")
        who = await person(inner, id)
        if not who.active or who.roles & STAFF:
            raise refuse(inner, "link")
        await store.drop_one_time(inner.sql, id, "sign-in-code")
        inner.trail.actor = actor_of(who, None)
        return await open_session(inner, who, agent=agent)


async def with_new_password(ctx: Ctx, token: str, password: str, *, agent: str = "") -> SignedIn | NextStep:
    """Set a password from an invitation or recovery link, consume it, end every other session, and go on.

    Staff still show their second factor. Raises Forbidden, Invalid (the link stays good), TooMany.
    """
    await limits.spend(ctx, "link", ctx.origin)
    async with work(ctx, "set a password") as inner:
        kinds = ["invitation", "recover"]
        id = await store.take_one_time(inner.sql, inner.tenant, keys.digest(token), kinds, inner.clock.now())
        if id is None:
            raise refuse(inner, "link")
        who = await person(inner, id)
        if not who.active:
            raise refuse(inner, "link")
        inner.trail.actor = actor_of(who, None)
        await set_password(inner, who, password)
        return await _entered(inner, who, agent)


async def set_password(ctx: Ctx, who: Person, password: str) -> None:
    """Keep a new password, and end the sessions that the old one opened. Raises Invalid."""
    if len(password) < PASSWORD:
        raise Invalid(
            "A password has at least %(least)s characters.",
            where="password",
            remedy="Four words do well.",
            least=PASSWORD,
        )
    if len(password) > 200:
        raise Invalid("That password is too long.", where="password")
    plain = password.lower()
    known = [who.name, *who.name.split(), *(who.email or "").split("@"), "bedside", "password"]
    rest = plain
    for part in known:
        if len(part) > 2:
            rest = rest.replace(part.lower(), "")
    if len(set(rest)) < 5:
        raise Invalid(
            "That password is easy to guess from who you are.", where="password", remedy="Four words do well."
        )
    await store.put_secret(ctx.sql, who.id, "password", await keys.hashed(password), ctx.clock.now())
    await sessions.end(ctx.sql, ctx.tenant, who.id, ctx.clock.now())
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{who.id}")


async def invite(ctx: Ctx, id: str, *, reset: bool = False, lasts: timedelta = INVITATION, told: bool = True) -> str:
    """Send a person the link by which they set up their sign-in; also returns it. told: whether a notice carries it;
    a link that is handed over otherwise needs none.

    reset: for who lost everything: takes away password, passkeys and second factor, and ends their sessions; done after
    making sure, by telephone or in person, that it is them. Raises Forbidden unless an administrator asks.
    """
    if ctx.actor.kind != "job":
        await require(ctx, "administrator")
    who = await person(ctx, id)
    if reset:
        await forget_all(ctx, who)
        await store.drop_printed(ctx.sql, id)
    return await send_link(ctx, who, "invitation", lasts, ("email" if who.email else "phone") if told else None)


async def begin_anew(ctx: Ctx, who: Person, lasts: timedelta) -> str:
    """What somebody signed in with stops working; the link by which they set up anew, which nobody is sent. For a
    caller that has made sure that it is them."""
    await forget_all(ctx, who)
    return await send_link(ctx, who, "invitation", lasts, None)


async def begin_anew_at_console(ctx: Ctx, email: str) -> tuple[str, str]:
    """Whoever stands at the server's console can read its database: they let a colleague begin anew, in sight of that
    colleague and the administrators. Name and link, good for an hour. Raises Forbidden, NotFound."""
    if ctx.actor.kind != "job":
        raise Forbidden("Only the server's console does this.")
    found = await people_store.persons_at(ctx.sql, ctx.tenant, email=email.strip(), phone=None)
    who = next((one for one in found if one.roles & STAFF), None)
    if who is None:
        raise NotFound("No colleague has this e-mail.", where=email)
    link = await begin_anew(ctx, who, timedelta(hours=1))
    for told in sorted({one.id for one in await people(ctx, role="administrator")} | {who.id}):
        data = {"id": uuid7(), "person": told, "template": "access.begun-anew", "data": {"name": who.name}}
        await enqueue(ctx, "messaging.send", data)
    return who.name, link


async def forget_all(ctx: Ctx, who: Person) -> None:
    """Nothing they signed in with works any longer, no link or code that was sent either, and every session ends, open
    pages with it. For a caller that has made sure that it is them."""
    await store.drop_secrets(ctx.sql, who.id, "password", "pin", "totp", "passkey")
    await store.drop_one_time(ctx.sql, who.id, *store.ONE_TIME)
    await sessions.end(ctx.sql, ctx.tenant, who.id, ctx.clock.now())
    ctx.then(lambda: ctx.bus.publish(f"access.ended.{ctx.tenant}.{who.id}", {}))


async def ask_for_help(ctx: Ctx, address: str) -> None:
    """A colleague lost what they sign in with: tell the administrators who it may be. Answers alike. Raises TooMany.

    Of a patient they learn nothing: that somebody is one is clinical. Patients ask to be called (`calling`).
    """
    await _tried(ctx, "send", address)
    async with even(ctx), work(ctx, "asked for help with signing in") as inner:
        email, phone = typed_address(address)
        found = await people_store.persons_at(inner.sql, inner.tenant, email=email, phone=phone)
        for who in [one for one in found if one.roles & STAFF][:1]:
            for admin in await people(inner, role="administrator"):
                await enqueue(
                    inner,
                    "messaging.send",
                    {
                        "id": uuid7(),
                        "person": admin.id,
                        "template": "access.help",
                        "data": {"name": who.name},
                        "channel": "email",
                    },
                    key=f"help/{who.id}/{admin.id}",
                )
            inner.trail.wrote = True
            inner.trail.entities.append(f"person/{who.id}")


async def demo_people(ctx: Ctx) -> list[Person]:
    """The seeded people, one button each; none outside the demo."""
    if not settings.of(ctx.database).demo:
        return []
    async with work(ctx, "opened the sign-in page", readonly=True) as inner:
        found = await people_store.people_as_added(inner.sql, inner.tenant)
        return [one for one in found if "display" not in one.roles]


async def with_demo(ctx: Ctx, id: str, *, agent: str = "") -> SignedIn:
    """Sign in as a seeded person. Raises NotFound outside the demo."""
    if not settings.of(ctx.database).demo:
        raise NotFound("There is no such page.")
    async with work(ctx, "signed in to the demo") as inner:
        who = await person(inner, id)
        if not who.active or "display" in who.roles:
            raise NotFound("There is no such person.")
        inner.trail.actor = actor_of(who, None)
        return await open_session(inner, who, agent=agent)
