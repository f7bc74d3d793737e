"""The timetable of on-call duties: planned by administrators, with substitutes whom people may name themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

from bedside.access.model import timetable
from bedside.access.model.licence import Licence
from bedside.access.model.people import Duty, Place, Substitute, Weekly
from bedside.access.model.timetable import Gap, Turn, instant
from bedside.access.service.decide import require
from bedside.access.service.duties import set_duty
from bedside.access.service.people import person as account
from bedside.access.store import licences
from bedside.access.store import people as people_store
from bedside.access.store import rota as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound
from bedside.foundation.ids import uuid7

ANSWERERS = frozenset({"nurse", "clinician"})
"""Who can be asked for an answer to an alarm."""
WATCHED = frozenset({"ward", "programme"})
STEPS = 9
"""More rungs than anybody waits for."""
LONGEST = timedelta(days=366)
"""Of a substitution: longer is another duty."""


@dataclass(frozen=True, slots=True)
class Week:
    """What a place's ladder is from since to until. duties: what is planned; turns: who is asked; gaps: when nobody."""

    place: Place
    since: datetime
    until: datetime
    duties: tuple[Duty, ...]
    turns: tuple[Turn, ...]
    gaps: tuple[Gap, ...]

    @property
    def wanting(self) -> bool:
        """Whether somebody has to see to it: at some time nobody is asked at all, or who was to be asked cannot be.

        A step that is planned for nights alone is empty by day because somebody meant it so.
        """
        return any(gap.step is None or gap.missing for gap in self.gaps)


async def weeks(ctx: Ctx, first: date | None = None, *, days: int = 7) -> list[Week]:
    """Some days of every ward and programme, from midnight to midnight of its own zone. first: None is today there.

    What is past is no gap any more. An administrator's. Raises Forbidden.
    """
    if ctx.actor.kind != "job":
        await require(ctx, "administrator")
    now = ctx.clock.now()
    found = []
    for place in await people_store.places(ctx.sql, ctx.tenant, closed=False):
        if place.kind not in WATCHED:
            continue
        zone = ZoneInfo(place.zone or "UTC")
        day = first or now.astimezone(zone).date()
        since, until = (instant(one, time(0), zone) for one in (day, day + timedelta(days=days)))
        rows = await store.rows(ctx.sql, ctx.tenant, since, until, place=place.id)
        rows = [row for row in rows if row.duty.role in ANSWERERS]
        turns = timetable.turns(rows, since, until)
        ahead = max(since, now)
        gaps = timetable.gaps([turn for turn in turns if turn.end > ahead], ahead, until) if ahead < until else []
        duties = tuple(row.duty for row in rows)
        found.append(Week(place, since, until, duties, tuple(turns), tuple(gaps)))
    return found


async def planned(ctx: Ctx, place: str) -> tuple[Place, list[Duty]]:
    """A place and the duties of it that stand or will. An administrator's. Raises Forbidden, NotFound."""
    await require(ctx, "administrator")
    there, now = await _watched(ctx, place), ctx.clock.now()
    rows = await store.rows(ctx.sql, ctx.tenant, now, now + 10 * LONGEST, place=place)
    return there, [row.duty for row in rows if row.duty.role in ANSWERERS and row.owner.active]


async def duties_of(ctx: Ctx, person: str) -> list[Duty]:
    """A person's duties that stand or will. An administrator's. Raises Forbidden."""
    await require(ctx, "administrator")
    now = ctx.clock.now()
    rows = await store.rows(ctx.sql, ctx.tenant, now, now + 10 * LONGEST, person=person)
    return [row.duty for row in rows if row.duty.person == person]


async def mine(ctx: Ctx, *, days: int = 14) -> tuple[list[Duty], list[Turn], list[Substitute]]:
    """One's own duties, the stretches of the coming days in which one is asked (or somebody instead of one), and who
    stands in for whom. Raises Forbidden."""
    await require(ctx, *ANSWERERS)
    me, now = ctx.actor.id, ctx.clock.now()
    until = now + timedelta(days=days)
    rows = await store.rows(ctx.sql, ctx.tenant, now, until, person=me)
    turns = [
        turn
        for turn in timetable.turns(rows, now, until)
        if turn.planned.person == me or (turn.duty is not None and turn.duty.person == me)
    ]
    duties = [row.duty for row in rows if row.duty.person == me and row.duty.role in ANSWERERS]
    return duties, turns, await substitutes(ctx, of=me)


async def substitutes(ctx: Ctx, *, of: str | None = None) -> list[Substitute]:
    """Those that stand or will stand. of: that concern a person, else an administrator's. Raises Forbidden."""
    if of is None or of != ctx.actor.id:
        await require(ctx, "administrator")
    far = ctx.clock.now() + 2 * LONGEST
    return await store.substitutes(ctx.sql, ctx.tenant, ctx.clock.now(), far, involving=[of] if of else None)


async def stands_in(ctx: Ctx, person: str) -> Substitute | None:
    """Who stands in at this moment for a person in all of their duties: no more than names. Nobody is refused."""
    now = ctx.clock.now()
    found = await store.substitutes(ctx.sql, ctx.tenant, now, now + timedelta(microseconds=1), involving=[person])
    return next((one for one in found if one.person == person and one.duty is None and one.by_active), None)


async def set_zone(ctx: Ctx, place: str, zone: str) -> None:
    """In which zone a place's duties are planned. An administrator's. Raises Forbidden, NotFound, Invalid."""
    await require(ctx, "administrator")
    await _watched(ctx, place)
    if zone not in available_timezones():
        raise Invalid("There is no such time zone.", where="zone", remedy="Write it as Europe/Madrid.")
    await store.set_zone(ctx.sql, ctx.tenant, place, zone)
    _wrote(ctx, f"place/{place}")


async def _watched(ctx: Ctx, place: str) -> Place:
    found = await people_store.place(ctx.sql, ctx.tenant, place)
    if found is None or found.kind not in WATCHED:
        raise NotFound("There is no such ward or programme.")
    if found.closed is not None:
        raise Conflict("This place is closed.", remedy="Open it again first, under wards and programmes.")
    return found


async def add_duty(
    ctx: Ctx,
    *,
    person: str,
    place: str,
    role: str,
    step: int,
    first: date,
    last: date | None,
    hours: tuple[Sequence[int], time, time] | None,
) -> Duty:
    """Plan a duty. first, last: the days, in the place's zone, on which its first and last shift begin.

    hours: weekdays (ISO), from, to; None is around the clock. An administrator's. Raises Forbidden, NotFound, Invalid
    (where: the field), Conflict where the place has no zone yet.
    """
    await require(ctx, "administrator")
    there = await _watched(ctx, place)
    if there.zone is None:
        raise Conflict("The time zone of this place is not set yet.", where="zone", remedy="Set it first.")
    who = await account(ctx, person)
    if not who.active:
        raise Invalid("This account is ended.", where="person", remedy="Choose somebody who works here.")
    if role not in ANSWERERS or role not in who.roles:
        raise Invalid("This person is not a %(role)s.", where="person", role=role)
    if not 1 <= step <= STEPS:
        raise Invalid("A step is a number from 1 to %(most)s.", where="step", most=STEPS)
    if last is not None and last < first:
        raise Invalid("The last day comes before the first.", where="last")
    zone = ZoneInfo(there.zone)
    weekly, ends = None, time(0)
    if hours is not None:
        days, begins, ends = hours
        if not days:
            raise Invalid("Choose at least one day of the week.", where="days")
        if begins == ends:
            raise Invalid("It ends when it begins.", where="ends", remedy="Around the clock is a choice of its own.")
        weekly = Weekly(frozenset(days), begins, ends, there.zone)
    since = instant(first, weekly.begins if weekly else time(0), zone)
    until = None
    if last is not None:
        over = weekly is None or weekly.ends <= weekly.begins
        until = instant(last + timedelta(days=1) if over else last, ends, zone)
    if until is not None and until <= ctx.clock.now():
        raise Invalid("These days are over.", where="last")
    since = since if hours is not None else max(since, ctx.clock.now())
    return await set_duty(
        ctx, person=person, place=place, role=role, step=step, since=since, until=until, weekly=weekly
    )


async def end_duty(ctx: Ctx, id: str) -> None:
    """It ends now. An administrator's. Raises Forbidden, NotFound, Conflict when it has ended."""
    await require(ctx, "administrator")
    known = await store.duty(ctx.sql, ctx.tenant, id)
    if known is None or known.role not in ANSWERERS:
        raise NotFound("There is no such duty.")
    now = ctx.clock.now()
    if known.until is not None and known.until <= now:
        raise Conflict("This duty has ended already.")
    await store.put_duty(ctx.sql, ctx.tenant, replace(known, since=min(known.since, now), until=now))
    _wrote(ctx, f"duty/{id}")


async def set_substitute(
    ctx: Ctx, *, person: str, by: str, since: datetime, until: datetime, duty: str | None = None
) -> Substitute:
    """From since to until `by` is asked instead of person, in one duty or in all. An administrator's or the
    person's own.

    Nobody stands in for somebody who stands in: whoever is away then, or is away themselves, is refused. So are those
    who lack the role, an account, or a licence where the person has one. Raises Forbidden, NotFound, Invalid (where:
    the field), Conflict.
    """
    if person != ctx.actor.id:
        await require(ctx, "administrator")
    await store.lock_people(ctx.sql, ctx.tenant, [person, by])
    whose, other = await account(ctx, person), await account(ctx, by)
    now = ctx.clock.now()
    if by == person:
        raise Invalid("Nobody stands in for themselves.", where="by")
    if not other.active:
        raise Invalid("This account is ended.", where="by", remedy="Choose somebody who works here.")
    if until <= since:
        raise Invalid("It ends before it begins.", where="until")
    if until <= now:
        raise Invalid("These times are over.", where="until")
    if until - since > LONGEST:
        raise Invalid("Nobody stands in for longer than a year.", where="until", remedy="Plan a duty for them.")
    rows = await store.rows(ctx.sql, ctx.tenant, since, until, person=person)
    theirs = (row.duty for row in rows if row.duty.person == person)
    covered = [one for one in theirs if one.role in ANSWERERS and duty in {None, one.id}]
    if not covered:
        raise Invalid("There is no duty to stand in for at that time.", where="person")
    if lacking := {one.role for one in covered} - other.roles:
        raise Invalid("%(name)s is not a %(role)s.", where="by", name=other.name, role=sorted(lacking)[0])
    await _licensed(ctx, whose.id, other.id, other.name, since.date(), until.date())
    for one in await store.substitutes(ctx.sql, ctx.tenant, since, until, involving=[person, by]):
        if one.by == person:
            raise Conflict(
                "%(name)s stands in for %(other)s then.",
                where="person",
                name=one.by_name,
                other=one.name,
                remedy="End that first, and let somebody else stand in for both.",
            )
        if one.person == by:
            raise Conflict(
                "%(name)s is away then.", where="by", name=one.name, remedy="Choose somebody who is not replaced then."
            )
        if one.person == person and (duty is None or one.duty is None or one.duty == duty):
            raise Conflict(
                "%(other)s stands in for %(name)s then already.",
                where="since",
                name=one.name,
                other=one.by_name,
                remedy="End that first.",
            )
    made = Substitute(uuid7(), person, whose.name, by, other.name, duty, since.astimezone(UTC), until.astimezone(UTC))
    await store.put_substitute(ctx.sql, ctx.tenant, made, ctx.actor.id, now)
    _wrote(ctx, f"substitute/{made.id}")
    return made


async def _licensed(ctx: Ctx, whose: str, by: str, name: str, first: date, last: date) -> None:
    """Who stands in for somebody with licences holds one of the same places, all the while."""

    def held(found: Sequence[Licence]) -> set[str]:
        good = (one for one in found if one.status == "active" and one.since <= first)
        return {one.jurisdiction for one in good if one.until >= last}

    there = {one.jurisdiction for one in await licences.of(ctx, whose) if one.status == "active" and one.until >= first}
    if there and not there & held(await licences.of(ctx, by)):
        raise Invalid(
            "%(name)s holds no licence for %(places)s for all of that time.",
            where="by",
            name=name,
            places=", ".join(sorted(there)),
        )


async def end_substitute(ctx: Ctx, id: str) -> None:
    """It ends now, or never begins. By an administrator, or by whom it is for. Raises Forbidden, NotFound, Conflict."""
    known = await store.substitute(ctx.sql, ctx.tenant, id)
    if known is None or ctx.actor.id != known.person:
        await require(ctx, "administrator")
    if known is None:
        raise NotFound("Nobody stands in there.")
    if known.until <= ctx.clock.now():
        raise Conflict("This has ended already.")
    await store.end_substitute(ctx.sql, ctx.tenant, id, ctx.clock.now())
    _wrote(ctx, f"substitute/{id}")


async def colleagues(ctx: Ctx) -> list[tuple[str, str, frozenset[str]]]:
    """Whom one may name: (id, name, roles) of those who can be asked. Raises Forbidden."""
    await require(ctx, "administrator", *ANSWERERS)
    everybody = await people_store.people(ctx.sql, ctx.tenant, None)
    return [(one.id, one.name, one.roles & ANSWERERS) for one in everybody if one.roles & ANSWERERS]


def _wrote(ctx: Ctx, entity: str) -> None:
    ctx.trail.wrote = True
    ctx.trail.entities.append(entity)
