"""Passkeys (WebAuthn level 3): resident keys with user verification, so one touch is both factors."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg
import orjson
import webauthn
from webauthn.helpers import base64url_to_bytes, generate_challenge, options_to_json, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from bedside.access import settings
from bedside.access.model.people import STAFF, Person
from bedside.access.model.sign_in import SignedIn
from bedside.access.service import clinic, limits
from bedside.access.service.actors import actor_of
from bedside.access.service.people import person
from bedside.access.service.sessions import open_session
from bedside.access.service.sign_in import REFUSED, REMEDY
from bedside.access.service.unit import work
from bedside.access.store import credentials as store
from bedside.access.store.credentials import Passkey
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, NotFound, SignInNeeded
from bedside.foundation.ids import uuid7

CHALLENGE = timedelta(minutes=5)


def _party(ctx: Ctx) -> tuple[str, str]:
    """(relying party id, origin) of this installation."""
    url = urlsplit(settings.of(ctx.database).public_url)
    return url.hostname or "localhost", f"{url.scheme}://{url.netloc}"


async def _challenge(ctx: Ctx, kind: str, person: str | None) -> bytes:
    value = generate_challenge()
    await store.put_challenge(ctx.sql, uuid7(), ctx.tenant, person, kind, value, ctx.clock.now() + CHALLENGE)
    return value


async def registration_options(ctx: Ctx) -> str:
    """What navigator.credentials.create needs, as JSON, for the signed-in person."""
    async with work(ctx, "began to add a passkey") as inner:
        return await offer(inner, await _me(inner))


async def offer(ctx: Ctx, who: Person) -> str:
    """The same for somebody whom the caller has made sure of, in an open work."""
    party, _ = _party(ctx)
    options = webauthn.generate_registration_options(
        rp_id=party,
        rp_name=await clinic.name(ctx),
        user_name=who.email or who.phone or who.name,
        user_id=who.id.encode(),
        user_display_name=who.name,
        challenge=await _challenge(ctx, "register", who.id),
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.id) for one in await store.passkeys(ctx.sql, who.id)],
    )
    return options_to_json(options)


async def add_passkey(ctx: Ctx, answer: str, label: str) -> None:
    """Keep the passkey that the browser made. Raises Invalid, Conflict."""
    async with work(ctx, "added a passkey") as inner:
        await keep(inner, await _me(inner), answer, label)


async def keep(ctx: Ctx, who: Person, answer: str, label: str) -> None:
    """The same for somebody whom the caller has made sure of, in an open work."""
    party, origin = _party(ctx)
    try:
        expected, asked = await _answered(ctx, answer, "register")
        if asked != who.id:
            raise Invalid("That passkey was asked for by somebody else.")
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=expected,
            expected_rp_id=party,
            expected_origin=origin,
            require_user_verification=True,
        )
    except (WebAuthnException, KeyError, ValueError, TypeError) as error:
        raise Invalid("The passkey could not be checked.", remedy="Try again.") from error
    kept = Passkey(
        made.credential_id,
        who.id,
        made.credential_public_key,
        made.sign_count,
        label.strip()[:60] or "Passkey",
        ctx.clock.now(),
        None,
    )
    try:
        async with ctx.sql.transaction():
            await store.insert_passkey(ctx.sql, ctx.tenant, kept)
    except asyncpg.UniqueViolationError:
        raise Conflict("This passkey is here already.") from None
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{who.id}")


async def passkeys(ctx: Ctx) -> list[Passkey]:
    """One's own."""
    return await store.passkeys(ctx.sql, (await _me(ctx)).id)


async def drop_passkey(ctx: Ctx, id: bytes) -> None:
    """Remove one of one's own. Raises NotFound; Conflict for staff whose only second factor it is."""
    me = await _me(ctx)
    mine = [one.id for one in await store.passkeys(ctx.sql, me.id)]
    if mine == [id] and me.roles & STAFF and await store.secret(ctx.sql, me.id, "totp") is None:
        raise Conflict("This passkey is the only way in that you have.", remedy="Add another one first.")
    if not await store.drop_passkey(ctx.sql, me.id, id):
        raise NotFound("There is no such passkey.")
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{ctx.actor.id}")


async def sign_in_options(ctx: Ctx) -> str:
    """What navigator.credentials.get needs, as JSON: any passkey of this site, so it names nobody."""
    await limits.spend(ctx, "sign-in-origin", ctx.origin)
    async with work(ctx, "began to sign in") as inner:
        return await _options(inner, "sign-in", None)


async def confirm_options(ctx: Ctx, who: str | None = None) -> str:
    """The same, to confirm who acts: the signed-in person, or one named at a wall. Raises NotFound without any."""
    async with work(ctx, "began to confirm") as inner:
        if inner.actor.kind != "person":
            raise SignInNeeded("Sign in first.")
        id = who or inner.actor.id
        # An empty list would let the browser offer anybody's.
        if not await store.passkeys(inner.sql, id):
            raise NotFound("There is no passkey yet.", remedy="Use the password, or at a wall the PIN.")
        return await _options(inner, "confirm", id)


async def _options(ctx: Ctx, kind: str, who: str | None) -> str:
    party, _ = _party(ctx)
    allowed = [PublicKeyCredentialDescriptor(id=one.id) for one in await store.passkeys(ctx.sql, who)] if who else None
    return options_to_json(
        webauthn.generate_authentication_options(
            rp_id=party,
            challenge=await _challenge(ctx, kind, who),
            allow_credentials=allowed,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


async def with_passkey(ctx: Ctx, answer: str, *, agent: str = "") -> SignedIn:
    """Sign in by a passkey: nothing is typed. Raises Forbidden."""
    async with work(ctx, "signed in with a passkey") as inner:
        id, _ = await verify(inner, answer, "sign-in")
        who = await person(inner, id)
        if not who.active:
            inner.trail.refused = "inactive"
            raise Forbidden(REFUSED, remedy=REMEDY)
        inner.trail.actor = actor_of(who, None)
        return await open_session(inner, who, agent=agent)


async def verify(ctx: Ctx, answer: str, kind: str) -> tuple[str, str | None]:
    """(whose passkey answered, who was asked). Raises Forbidden. In an open work."""
    party, origin = _party(ctx)
    try:
        expected, asked = await _answered(ctx, answer, kind)
        key = await store.passkey(ctx.sql, ctx.tenant, base64url_to_bytes(orjson.loads(answer)["id"]))
        if key is None:
            raise ValueError("unknown passkey")
        seen = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=expected,
            expected_rp_id=party,
            expected_origin=origin,
            credential_public_key=key.public_key,
            credential_current_sign_count=key.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, KeyError, ValueError, TypeError):
        ctx.trail.refused = "passkey"
        raise Forbidden(REFUSED, remedy=REMEDY) from None
    await store.used_passkey(ctx.sql, key.id, seen.new_sign_count, ctx.clock.now())
    return key.person, asked


async def _answered(ctx: Ctx, answer: str, kind: str) -> tuple[bytes, str | None]:
    """(challenge, who was asked) that an answer is to. Raises ValueError when none such is open."""
    said = orjson.loads(answer)
    challenge = parse_client_data_json(base64url_to_bytes(said["response"]["clientDataJSON"])).challenge
    good, who = await store.take_challenge(ctx.sql, ctx.tenant, kind, challenge, ctx.clock.now())
    if not good:
        raise ValueError("no such challenge")
    return challenge, who


async def _me(ctx: Ctx) -> Person:
    if ctx.actor.kind != "person" or "display" in ctx.actor.roles:
        raise SignInNeeded("Sign in first.")
    return await person(ctx, ctx.actor.id)
