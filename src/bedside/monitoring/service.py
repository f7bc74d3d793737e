"""What the room does as a whole: its sub-rooms put together, authorised."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from bedside import access, records
from bedside.foundation import errors
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import Forbidden, Gone, NotFound, TooMany
from bedside.monitoring import settings
from bedside.monitoring.alarms.model import UNDO_SECONDS
from bedside.monitoring.alarms.service import clockwork, functions, life, reports
from bedside.monitoring.alarms.service.judge import judge_all
from bedside.monitoring.devices.model import Device, DeviceCredentials, NewDevice, Paired, device_resource
from bedside.monitoring.devices.service import devices as devices_service
from bedside.monitoring.devices.service import gateways, sign_in, technical
from bedside.monitoring.devices.service.sign_in import Known
from bedside.monitoring.devices.service.technical import TechnicalEvent
from bedside.monitoring.ingest.model.budget import CUT_SECONDS, Budget
from bedside.monitoring.ingest.model.measured import Measured, packed, together
from bedside.monitoring.ingest.model.pack import Flag
from bedside.monitoring.ingest.model.taken import Told, drop
from bedside.monitoring.ingest.service.answers import Arrival
from bedside.monitoring.ingest.service.lane import after
from bedside.monitoring.rules import service as rules
from bedside.monitoring.rules.model import agp
from bedside.monitoring.rules.model.pregnancy import PREGNANCY, SNOMED, pregnant
from bedside.monitoring.rules.model.profile import youngest
from bedside.monitoring.series.model.reading import EPOCH, Conflict, Latest, NewReading, Reading, Series
from bedside.monitoring.series.service import landing, measured, paired, reading, typing
from bedside.monitoring.series.service.landing import Judge, Receipt
from bedside.monitoring.waves.service.landing import WaveArrival, WaveReceipt, adopt
from bedside.monitoring.waves.service.landing import land as land_waves

T = TypeVar("T")
JUDGE: Judge = judge_all
"""What alarms do with new readings, in the transaction that stores them."""


async def land(ctx: Ctx, arrivals: Sequence[Arrival]) -> list[Receipt]:
    """Store and judge packs in ctx's transaction: the one direct path."""
    return await landing.land(ctx, arrivals, JUDGE)


LANDING: Final = Actor("job", "readings", "readings", roles=frozenset({"system"}))
"""Who stores what a device sent, at the web's doors as on the wire: the pack's receipt row is its audit entry."""
OTHERS: Final = "its subject did not hold this device at that time"
_BUDGETS: weakref.WeakKeyDictionary[Database, Budget] = weakref.WeakKeyDictionary()


async def enter(ctx: Ctx, name: str, password: str) -> Known:
    """A device at a door of the web. Raises SignInNeeded, Forbidden, TooMany."""
    return await sign_in.enter(ctx, name, password)


async def welcome(ctx: Ctx, device: Known) -> bool:
    """Whether a device that came in may stay."""
    return await sign_in.welcome(ctx, device.name)


async def gateway_heard(ctx: Ctx, device: Known, gateway: str) -> None:
    """A gateway is there, and carries this device. Raises Invalid (gateway)."""
    await gateways.heard(ctx, device, gateway)


async def admit(ctx: Ctx, device: Known, messages: int = 1) -> None:
    """Count messages of a device at the web's doors. Raises TooMany once it is above its limit: it is then refused at
    every door for a minute, and named."""
    budget = _BUDGETS.get(ctx.database)
    if budget is None:
        budget = _BUDGETS[ctx.database] = Budget(settings.of(ctx.database).messages)
    now = devices_service.microseconds(ctx.clock.now())
    if budget.refused_until(device.name, now) is None:
        if all(budget.spend(device.name, now) for _ in range(messages)):
            return
        async with ctx.database.transaction() as sql:
            await technical.note(ctx.with_(tx=sql, tenant=device.tenant), "flood", device.name)
    raise TooMany("This device sent more than it may.", retry_after=CUT_SECONDS)


async def receive(ctx: Ctx, device: Known, told: Sequence[Told]) -> list[Receipt]:
    """Store and judge what a device sent through a door of the web; the receipts are true: all of it is committed.

    A record that says it is somebody's who did not hold the device at its time is refused. ctx: outside a transaction.
    Raises Forbidden when the device was revoked meanwhile, Unavailable.
    """

    async def work(inner: Ctx) -> list[Receipt]:
        for one in told:
            if one.patients:
                await _refuse_others(inner, device, one)
        receipts = await land(inner, [Arrival(device.name, one.pack) for one in told])
        if any(got.refused is not one.pack.refused for got, one in zip(receipts, told, strict=True)):
            raise _revoked()
        return receipts

    return await _committed(ctx, device, work)


async def receive_waves(ctx: Ctx, device: Known, arrivals: Sequence[WaveArrival]) -> list[WaveReceipt]:
    """The same of waveforms. Raises Forbidden when the device was revoked meanwhile, Unavailable."""

    async def work(inner: Ctx) -> list[WaveReceipt]:
        receipts = await land_waves(inner, arrivals)
        if any(got.revoked for got in receipts):
            raise _revoked()
        return receipts

    return await _committed(ctx, device, work)


def _revoked() -> Forbidden:
    return Forbidden("This device was revoked or has expired.", remedy="Ask for new credentials.")


async def _committed(ctx: Ctx, device: Known, work: Callable[[Ctx], Awaitable[T]]) -> T:
    """What work returns, once it is committed and what waited for that is done; tried again after a lost race."""

    async def once() -> tuple[Ctx, T]:
        inner = ctx.with_(actor=LANDING, purpose="HOPERAT", tenant=device.tenant, after_commit=[])
        async with inner.database.transaction() as sql:
            inner = inner.with_(tx=sql)
            return inner, await work(inner)

    landed, done = await ctx.database.attempt(once)
    await after(landed)
    return done


async def _refuse_others(ctx: Ctx, device: Known, told: Told) -> None:
    held = (await devices_service.hold(ctx, {device.name})).get(device.name)
    wrong = {
        told.places[k]
        for k, time in enumerate(told.pack.time)
        if told.places[k] in told.patients and (held is None or held.holder(time) != told.patients[told.places[k]])
    }
    drop(told.pack, told.places, {k for k, place in enumerate(told.places) if place in wrong}, OTHERS)


async def malformed(ctx: Ctx, device: Known, why: str) -> None:
    """Somebody should see that a device sends what cannot be read. why: without its content."""
    async with ctx.database.transaction() as sql:
        await technical.note(ctx.with_(tx=sql, tenant=device.tenant), "malformed", device.name, why=why)


async def wrong_address(ctx: Ctx, device: Known) -> None:
    """A device tried to send as another one."""
    async with ctx.database.transaction() as sql:
        await technical.note(ctx.with_(tx=sql, tenant=device.tenant), "other-subject", device.name, host=ctx.origin)


async def any_device(ctx: Ctx) -> bool:
    """Whether the clinic has a device that sends by itself: all that an administrator learns of them.

    Raises Forbidden.
    """
    await access.require(ctx, "administrator")
    return await devices_service.any_there(ctx)


async def add_device(ctx: Ctx, new: NewDevice) -> DeviceCredentials:
    """A device with MQTT credentials, live at once; the password is told here and never again.

    Raises Invalid, Forbidden.
    """
    if new.patient is None:
        await access.authorise(ctx, None, "C", what="Device")
    else:
        await records.read(ctx, "Patient", new.patient)
        await access.authorise(ctx, new.patient, "U", what="Device")
    made = await devices_service.add_device(ctx, new)
    await records.write_governed(ctx, device_resource(made.device, new.kind, new.patient), room="monitoring")
    if new.patient is not None:
        await clockwork.expect_device(ctx, new.patient, made.device, new.kind, ctx.clock.now())
    return made


async def add_source(ctx: Ctx, kind: str, label: str, patient: str | None) -> str:
    """A device of another room's interface, without credentials, held by the patient since ever (None: by nobody yet).

    kind: interface, or monitor where its silence is to raise an alarm. Returns its name. Raises Invalid, Forbidden.
    """
    await access.authorise(ctx, patient, "U", what="Device")
    name = await devices_service.add_source(ctx, kind, label, patient)
    await records.write_governed(ctx, device_resource(name, kind, patient), room="monitoring")
    return name


async def give_source(ctx: Ctx, device: str, patient: str) -> int:
    """A device of an interface, held by nobody so far, is the patient's since ever: what waited is theirs; how much.

    Raises NotFound, Forbidden, Conflict when somebody holds it.
    """
    await access.authorise(ctx, patient, "U", what="Device")
    waiting = await typing.assign(ctx, device, patient, EPOCH, None, JUDGE)
    kind = await devices_service.kind_of(ctx, device)
    await records.write_governed(ctx, device_resource(device, kind, patient), room="monitoring")
    return waiting


async def anothers(ctx: Ctx, by_device: Mapping[str, Sequence[Measured]], patient: str) -> dict[str, set[int]]:
    """Of devices that an interface says are this patient's: the places of what was measured while staff had given the
    device to somebody else. It must not be landed."""
    held = await devices_service.hold(ctx, set(by_device))
    return {
        name: {
            place
            for place, one in enumerate(sent)
            if name in held and held[name].holder(one.time) not in {None, patient}
        }
        for name, sent in by_device.items()
    }


async def land_measured(
    ctx: Ctx, by_device: Mapping[str, Sequence[Measured]], received: int
) -> dict[str, dict[int, str]]:
    """Store and judge what an interface measured, as land does, all in ctx's transaction.

    by_device: by add_source's names. received: µs since 1970. Returns per device what was refused: place to reason.
    """
    arrivals = [Arrival(device, packed(sent, received)) for device, sent in sorted(by_device.items())]
    receipts = await landing.land(ctx, arrivals, JUDGE)
    told: dict[str, dict[int, str]] = {}
    for arrival, receipt in zip(arrivals, receipts, strict=True):
        refused = {refusal.index: refusal.reason for refusal in receipt.refused}
        if arrival.pack.time and not receipt.stored:
            # The device itself is not welcome: that is said once, and none of it is held.
            reason = receipt.refused[0].reason if receipt.refused else "there is no such device"
            refused = dict.fromkeys(range(len(by_device[arrival.device])), reason)
        told[arrival.device] = refused
    return told


def charted(sent: Sequence[Measured], received: int) -> tuple[list[Measured], dict[int, str]]:
    """What would be taken of it, in charted units, and what would not be: place to reason."""
    pack = packed(sent, received)
    return together(pack), {refusal.index: refusal.reason for refusal in pack.refused}


async def measured_at(ctx: Ctx, device: str, metrics: Sequence[str], time: int) -> list[Measured]:
    """What stands of a device of an interface at that µs; what was withdrawn does not stand."""
    return await measured.held(ctx, device, metrics, time)


async def withdraw_measured(ctx: Ctx, device: str, metric: str, time: int, reason: str) -> None:
    """Take back what a device of an interface measured at that µs, a blood pressure whole. Raises NotFound."""
    found = await measured.reading_id(ctx, device, metric, time)
    if found is None:
        raise NotFound("There is no such reading.")
    await withdraw(ctx, found, reason)


async def land_paired(
    ctx: Ctx, patient: str, device: Paired, sent: Sequence[Measured], *, confirmed: bool = False
) -> tuple[str, bool]:
    """Store and judge what a patient's own Bluetooth device measured at one moment, as theirs and as of that device.

    Returns the reading's id, and whether another value of that moment stands already: both are kept, staff see it. What
    was held before is held once. Raises Invalid, Forbidden (switched off by the clinic), Conflict (held by somebody
    else at that time), Unprocessable (implausible, and not confirmed).
    """
    return await paired.take(ctx, patient, device, sent, JUDGE, confirmed=confirmed)


async def note_trouble(ctx: Ctx, kind: str, source: str, *, patient: str | None = None, **detail: Any) -> None:
    """A technical event of another room's interface, in ctx's transaction. detail: no values of readings, no names."""
    await technical.note(ctx, kind, source, patient=patient, **detail)


async def assign_device(
    ctx: Ctx, device: str, patient: str | None, *, since: datetime | None = None, until: datetime | None = None
) -> int:
    """Give a device to a patient (None: nobody) from a time; returns how many waiting readings became theirs.

    Whoever takes it from a patient must be allowed to act for that one too. Raises NotFound, Forbidden, Conflict.
    """
    if patient is not None:
        await records.read(ctx, "Patient", patient)
    holders = await clockwork.expecting(ctx, device)
    for before in holders:
        await access.authorise(ctx, before, "U", what="Device")
    waiting = await typing.assign(ctx, device, patient, since, until, JUDGE)
    await adopt(ctx, device)
    now = ctx.clock.now()
    held = (await devices_service.hold(ctx, {device}, lock=False))[device]
    for before in holders:
        # Who is to give it back only later is asked about its silence until then.
        if before != patient and not held.expected(before, devices_service.microseconds(now)):
            await clockwork.forget_device(ctx, before, device)
    if patient is not None and (until is None or until > now):
        await clockwork.expect_device(ctx, patient, device, held.kind, max(since or now, now))
    if (since is None or since <= now) and (until is None or until > now):
        await records.write_governed(ctx, device_resource(device, held.kind, patient), room="monitoring")
    return waiting


async def acquaint(ctx: Ctx, patient: str) -> None:
    """Take from the record what decides which rules may judge a patient: birth date, and a pregnancy that is recorded.

    A pregnancy that staff told the rules of stays until the record knows one and knows it to be over.
    """
    try:
        person = await records.read(ctx, "Patient", patient)
    except (Gone, NotFound):
        return
    codes = ",".join(f"{SNOMED}|{code}" for code in PREGNANCY)
    found = await records.search(ctx, "Condition", [("patient", patient), ("code", codes), ("_count", "100")])
    expecting = pregnant(found.entries)
    changes: dict[str, Any] = {} if expecting is None else {"pregnant": expecting}
    if "birthDate" in person:
        changes["birth_date"] = youngest(str(person["birthDate"]))
    await rules.set_profile(ctx, patient, reason="from the record", **changes)


async def revoke_device(ctx: Ctx, device: str) -> None:
    """It may not sign in again, and what it still sends is refused. Raises NotFound."""
    await access.authorise(ctx, None, "U", what="Device")
    await devices_service.revoke(ctx, device)


async def devices(ctx: Ctx, patient: str) -> list[Device]:
    """What the patient holds now."""
    await access.authorise(ctx, patient, "R", what="Device")
    return await devices_service.devices(ctx, patient)


async def latest(ctx: Ctx, patients: Sequence[str]) -> dict[str, list[Latest]]:
    """The newest value of each metric, with its age and whether it is stale."""
    return await reading.latest(ctx, patients)


async def one_reading(ctx: Ctx, patient: str, reading_id: str) -> list[Latest]:
    """What stands of one reading of the patient; none where it was withdrawn. Raises NotFound."""
    return await reading.one(ctx, patient, reading_id)


async def series(ctx: Ctx, patient: str, metric: str, since: datetime, until: datetime) -> Series:
    """One metric over a span of device time, with its gaps."""
    return await reading.series(ctx, patient, metric, since, until)


async def conflicts(ctx: Ctx, patient: str, *, at: datetime | None = None) -> list[Conflict]:
    """Moments that were sent with two values, newest first. at: of that moment alone."""
    return await reading.conflicts(ctx, patient, at)


async def enter_reading(ctx: Ctx, new: NewReading) -> Reading:
    """What a person typed; with `also`, further values of the same moment. Returns the first."""
    return (await typing.enter(ctx, new, JUDGE))[0]


async def enter_readings(ctx: Ctx, new: NewReading) -> list[Reading]:
    """The same, returning all."""
    return await typing.enter(ctx, new, JUDGE)


async def withdraw(ctx: Ctx, reading_id: str, reason: str) -> list[Reading]:
    """ "That was not me": the reading reads entered-in-error from now on, and its alarm is told."""
    gone = await typing.withdraw(ctx, reading_id, reason)
    newest = (await reading.latest(ctx, [gone[0].patient]))[gone[0].patient]
    for one in gone:
        await reports.reading_withdrawn(ctx, one.patient, one.id, newest, reason.strip())
    await life.redraw(ctx, gone[0].patient)
    return gone


async def technical_events(ctx: Ctx, *, device: str | None = None, unseen: bool = True) -> list[TechnicalEvent]:
    """What went wrong on the way, what needs a hand first. For staff: of the patients they may see, and of nobody's."""
    await access.require(ctx, "nurse", "clinician", "administrator")
    mine = await access.visible(ctx, "Device")
    found = await technical.events(ctx, device=device, unseen=unseen)
    return [event for event in found if event.patient is None or mine is None or event.patient in mine]


async def technical_events_seen(ctx: Ctx, events: Sequence[int]) -> None:
    """The actor has seen them. Raises NotFound when one is no unseen event, or none that the actor may see."""
    mine = {one.id for one in await technical_events(ctx)}
    if not mine.issuperset(events) or await technical.seen(ctx, events) != len(set(events)):
        raise NotFound("There is no such event that waits to be seen.")


async def technical_events_unseen(ctx: Ctx) -> None:
    """A slip: what the actor saw last stands on the list again. Within UNDO_SECONDS; else raises Conflict."""
    await access.require(ctx, "nurse", "clinician", "administrator")
    if not await technical.not_seen(ctx, timedelta(seconds=UNDO_SECONDS)):
        raise errors.Conflict("There is nothing to undo any more.")


async def glucose_report(ctx: Ctx, patient: str, zone: ZoneInfo) -> agp.Agp | None:
    """The patient's glucose of the last two weeks by the consensus metrics, days by this zone; None for too little.

    Raises Forbidden, and Conflict where the function is off in this installation.
    """
    await access.authorise(ctx, patient, "R", what="Observation")
    if not (await functions.function(ctx, functions.GLUCOSE)).on:
        raise functions.off()
    until = ctx.clock.now()
    rows = await reading.readings(ctx, patient, ["glucose"], until - agp.span(), until)
    doubtful = Flag.CLOCK | Flag.IMPLAUSIBLE
    return agp.report([(one.device_time, one.raw) for one in rows if not one.bits & doubtful], until, zone)
