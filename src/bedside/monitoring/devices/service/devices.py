"""Adding devices, giving them to patients, opening them for what they sent."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import asyncpg

from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound
from bedside.monitoring.devices.model import (
    KINDS,
    SOURCES,
    Assignment,
    Device,
    DeviceCredentials,
    Held,
    NewDevice,
    Paired,
    topics,
)
from bedside.monitoring.devices.store import devices as store

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
FOREVER: Final = 2**62
ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters and digits that are not mistaken for each other when a person types them."""


def microseconds(moment: datetime) -> int:
    """Since 1970 UTC, exact."""
    return (moment - EPOCH) // MICROSECOND


def moment_of(time: int) -> datetime:
    """The instant of so many µs since 1970 UTC."""
    return EPOCH + timedelta(microseconds=time)


def digest(salt: bytes, password: str) -> bytes:
    """The password is 20 random characters (99 bits): no guessing to slow down, so one round of SHA-256 is enough,
    and ten thousand devices can come back within a second after a restart."""
    return hashlib.sha256(salt + password.encode()).digest()


def same(expected: bytes, salt: bytes, password: str) -> bool:
    """Whether this is the password, in constant time."""
    return hmac.compare_digest(expected, digest(salt, password))


def _code(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


async def add_device(ctx: Ctx, new: NewDevice) -> DeviceCredentials:
    """A device with credentials of its own, live at once. Raises Invalid for an unknown kind."""
    if new.kind not in KINDS:
        raise Invalid(
            "That kind of device is not known.", where="kind", remedy="One of: %(kinds)s.", kinds=tuple(KINDS)
        )
    if new.method not in {None, "cuffless"}:
        raise Invalid("That method is not known.", where="method", remedy="Leave it out, or say cuffless.")
    now = ctx.clock.now()
    name = new.name or f"{new.kind[:2]}-{_code(10)}"
    password, salt = _code(20), secrets.token_bytes(16)
    number = await store.add(
        ctx.sql,
        tenant=ctx.tenant,
        name=name,
        kind=new.kind,
        source="device",
        now=now,
        label=new.label,
        method=new.method,
        salt=salt,
        secret=digest(salt, password),
        expires=new.expires,
    )
    if new.patient is not None and number is not None:
        # These credentials were never in other hands: what the device remembers, or dates by a clock that runs behind,
        # is its first holder's, unless a start is given.
        await store.assign(ctx.sql, ctx.tenant, number, new.patient, new.since or EPOCH, None, now)
    readings, acks = topics(name)
    return DeviceCredentials(device=name, username=name, password=password, topic=readings, ack_topic=acks)


async def add_source(ctx: Ctx, kind: str, label: str, patient: str | None) -> str:
    """A device that has no credentials, since what it measures comes by another room's interface. Returns its name.

    patient: who held it always; None: nobody yet. Raises Invalid for an unknown kind.
    """
    if kind not in SOURCES:
        kinds = tuple(sorted(SOURCES))
        raise Invalid("That kind of device is not known.", where="kind", remedy="One of: %(kinds)s.", kinds=kinds)
    name, now = f"if-{_code(10)}", ctx.clock.now()
    number = await store.add(ctx.sql, tenant=ctx.tenant, name=name, kind=kind, source="device", now=now, label=label)
    if patient is not None and number is not None:
        await store.assign(ctx.sql, ctx.tenant, number, patient, EPOCH, None, now)
    return name


async def paired(ctx: Ctx, patient: str, read: Paired) -> tuple[str, bool]:
    """The device that stands for a patient's own Bluetooth device, held by them since ever; whether it was made now."""
    name = read.source(ctx.tenant, patient)
    if await store.lock(ctx.sql, ctx.tenant, name) is not None:
        return name, False
    now = ctx.clock.now()
    # A device may call itself anything, bytes that no text column holds among them.
    label = "".join(letter for letter in read.name if letter.isprintable()).strip() or "Bluetooth"
    try:
        async with ctx.sql.transaction():
            number = await store.add(
                ctx.sql, tenant=ctx.tenant, name=name, kind="paired", source="device", now=now, label=label
            )
            if number is not None:
                await store.assign(ctx.sql, ctx.tenant, number, patient, EPOCH, None, now)
    except asyncpg.UniqueViolationError:
        return name, False  # another tab of the same patient was first
    return name, True


async def assign(ctx: Ctx, name: str, patient: str | None, since: datetime, until: datetime | None) -> int:
    """Give a device to a patient from a time; whoever held it then gives it back. None: nobody holds it from then on.

    Returns the device's number. Raises NotFound, or Conflict when somebody else holds it later in that span.
    """
    found = await store.lock(ctx.sql, ctx.tenant, name)
    if found is None:
        raise NotFound("There is no such device.", where="device")
    await store.end_assignment(ctx.sql, found[0], since)
    if patient is not None:
        try:
            async with ctx.sql.transaction():
                await store.assign(ctx.sql, ctx.tenant, found[0], patient, since, until, ctx.clock.now())
        except asyncpg.ExclusionViolationError as error:
            raise Conflict(
                "Somebody else holds this device in that time.", remedy="End that assignment first, or choose a span."
            ) from error
    return found[0]


async def devices(ctx: Ctx, patient: str) -> list[Device]:
    """What the patient holds now."""
    return [Device(**row) for row in await store.of_patient(ctx.sql, ctx.tenant, patient, ctx.clock.now())]


async def any_there(ctx: Ctx) -> bool:
    """Whether there is a device that sends by itself."""
    return await store.any_there(ctx.sql, ctx.tenant)


async def kind_of(ctx: Ctx, name: str) -> str:
    """Its kind. Raises NotFound."""
    found = await store.lock(ctx.sql, ctx.tenant, name)
    if found is None:
        raise NotFound("There is no such device.")
    return found[1]


async def new_password(ctx: Ctx, name: str) -> DeviceCredentials:
    """Another password from now on, told once. Raises NotFound."""
    password, salt = _code(20), secrets.token_bytes(16)
    if not await store.set_secret(ctx.sql, ctx.tenant, name, salt, digest(salt, password), ctx.clock.now()):
        raise NotFound("There is no such device.")
    ctx.trail.wrote = True
    readings, acks = topics(name)
    return DeviceCredentials(device=name, username=name, password=password, topic=readings, ack_topic=acks)


async def revoke(ctx: Ctx, name: str) -> None:
    """It may not sign in again, and what it still sends is refused."""
    if not await store.set_state(ctx.sql, ctx.tenant, name, "revoked"):
        raise NotFound("There is no such device.")


async def hands_of(ctx: Ctx, patient: str, source: str) -> str:
    """The pseudo-device that stands for the actor's hands typing this patient's readings; made on first use."""
    typist = f"{ctx.actor.kind}:{ctx.actor.id}"
    name = await store.pseudo(ctx.sql, ctx.tenant, typist, patient)
    if name is None:
        number = await store.add(
            ctx.sql,
            tenant=ctx.tenant,
            name=f"ty-{_code(10)}",
            kind="typed",
            source=source,
            now=ctx.clock.now(),
            typist=typist,
            typed_for=patient,
            performer=ctx.actor.reference,
        )
        if number is not None:
            await store.assign(ctx.sql, ctx.tenant, number, patient, EPOCH, None, ctx.clock.now())
        name = await store.pseudo(ctx.sql, ctx.tenant, typist, patient)
    if name is None:
        raise Conflict("These hands are not known.", remedy="Try again.")
    return name


async def hold(ctx: Ctx, names: set[str], *, lock: bool = True) -> dict[str, Held]:
    """Open devices for landing what they sent: their heads are locked, in one order, until the transaction ends.

    lock=False: only look. What lands beside the readings must not hold them up.
    """
    rows, assignments = await store.hold(ctx.sql, sorted(names), lock=lock)
    held = {
        row["number"]: Held(
            number=row["number"],
            tenant=row["tenant"],
            name=row["name"],
            kind=row["kind"],
            source=row["source"],
            method=row["method"],
            state=row["state"],
            assignments=[],
            newest={int(metric): time for metric, time in row["newest"].items()},
            expires=None if row["expires_at"] is None else microseconds(row["expires_at"]),
        )
        for row in rows
    }
    for row in assignments:
        since = microseconds(row["since"]) if row["since"] else 0
        until = microseconds(row["until"]) if row["until"] else FOREVER
        held[row["device"]].assignments.append(Assignment(row["patient"], since, until))
    return {device.name: device for device in held.values()}


async def heard(ctx: Ctx, held: list[Held], at: dict[int, int]) -> None:
    """Write back what was last heard of each: at is its newest receipt in µs by number."""
    held = sorted(held, key=lambda device: device.number)
    await store.heard(
        ctx.sql,
        [device.number for device in held],
        [{str(metric): time for metric, time in device.newest.items()} for device in held],
        [moment_of(at[device.number]) for device in held],
    )
