"""A visit planned for a time: told, moved, cancelled, not entered too early, and followed by a calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

import icalendar
import pytest
from tests.visits.test_service import HOME, Scene
from tests.visits.test_service import scene as scene  # noqa: PLC0414 - a fixture

from bedside import access, visits
from bedside.access.testing import acting
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Gone, Invalid
from bedside.visits.service import running

pytestmark = pytest.mark.engine

BASE = "https://clinic.example"


async def planned(scene: Scene, at: datetime) -> visits.Visit:
    """One of the clinician's, planned for then, the patient invited."""
    async with access.work(scene.system, "care for a test") as ctx:
        await access.relate(ctx, person=scene.clinician_id, patient=scene.record, kind="care", source="test")
    async with access.work(scene.clinician, "asked") as ctx:
        visit = await visits.ask(ctx, scene.record, "Depression", planned=(at, 20))
        await visits.invite(ctx, visit.id, BASE)
    return visit


async def notices(scene: Scene) -> list[str]:
    async with access.work(scene.system, "looked at the queue", readonly=True) as ctx:
        rows = await ctx.sql.fetch(
            """select convert_from(payload, 'utf8')::jsonb->'payload'->>'template' as t,
                   convert_from(payload, 'utf8') as p
               from jobs.pgqueuer where entrypoint = 'messaging.send' order by id"""
        )
    assert not any("Depression" in row["p"] for row in rows)
    return [row["t"] for row in rows]


async def followed(scene: Scene, secret: str) -> list[tuple[str, int, datetime]]:
    async with access.work(scene.system, "a calendar followed") as ctx:
        content = await visits.calendars.follow(ctx, secret, BASE)
    events = icalendar.Calendar.from_ical(content).walk("VEVENT")
    return [(str(one["status"]), int(one["sequence"]), one.decoded("dtstart")) for one in events]


async def test_nobody_says_where_they_are_before_the_doors_open(scene: Scene, clock: TurnableClock) -> None:
    at = clock.now() + timedelta(days=10)
    visit = await planned(scene, at)
    assert await notices(scene) == ["visits.planned"]
    async with access.work(scene.patient, "came early") as ctx:
        with pytest.raises(Conflict, match="too early"):
            await visits.arrive(ctx, visit.id, HOME, True, home="US")
    clock.turn(timedelta(days=10, minutes=-29))
    async with access.work(scene.patient, "came") as ctx:
        assert (await visits.arrive(ctx, visit.id, HOME, True, home="US")).status == "waiting"


async def test_the_link_and_the_care_last_until_after_its_time(scene: Scene, clock: TurnableClock) -> None:
    visit = await planned(scene, clock.now() + timedelta(days=30))
    async with access.work(scene.clinician, "sent it again") as ctx:
        link = await visits.invite(ctx, visit.id, BASE)
    async with access.work(scene.system, "ended the other care") as ctx:
        await access.unrelate(ctx, source="test")
    clock.turn(timedelta(days=30))
    async with access.work(scene.system, "opened the link", readonly=True) as ctx:
        await visits.look(ctx, link.rsplit("/", 1)[1])
    async with access.work(scene.clinician, "looked", readonly=True) as ctx:
        assert [one.id for one in await visits.mine(ctx)] == [visit.id]


async def test_who_left_early_is_still_expected(scene: Scene, clock: TurnableClock) -> None:
    visit = await planned(scene, clock.now() + timedelta(hours=2))
    clock.turn(timedelta(hours=1, minutes=40))
    async with access.work(scene.patient, "came") as ctx:
        await visits.arrive(ctx, visit.id, HOME, True, home="US")
        await running.join(ctx, visit.id, "page")
        await running.leave(ctx, visit.id, "page")
    clock.turn(timedelta(hours=1))  # an hour after they left, 40 minutes after its time
    async with access.work(scene.system, "the job") as ctx:
        await running.close_empty(ctx, visit.id)
        assert (await visits.get(ctx, visit.id)).open
    clock.turn(timedelta(minutes=30))
    async with access.work(scene.system, "the job") as ctx:
        await running.close_empty(ctx, visit.id)
        assert not (await visits.get(ctx, visit.id)).open


async def test_a_calendar_hears_of_another_time_and_of_the_end(scene: Scene, clock: TurnableClock) -> None:
    at = clock.now() + timedelta(days=3)
    visit = await planned(scene, at)
    secrets = []
    for who in (scene.patient, scene.clinician):
        async with access.work(who, "made a link") as ctx:
            secrets.append(await visits.calendars.make(ctx))
    for secret in secrets:
        assert await followed(scene, secret) == [("CONFIRMED", 0, at)]
    later = at + timedelta(hours=1)
    async with access.work(scene.clinician, "moved") as ctx:
        for _ in range(2):  # the same again is no change
            await visits.plan(ctx, visit.id, later, 20, BASE)
    assert await followed(scene, secrets[0]) == [("CONFIRMED", 1, later)]
    async with access.work(scene.clinician, "cancelled") as ctx:
        await visits.cancel(ctx, visit.id, "Ill")
    assert await followed(scene, secrets[0]) == [("CANCELLED", 2, later)]
    assert await notices(scene) == ["visits.planned", "visits.planned", "visits.cancelled"]
    async with access.work(scene.patient, "looked", readonly=True) as ctx:
        stands = await visits.calendars.stands(ctx)
    assert stands is not None
    assert stands[1] == clock.now()


async def test_a_link_is_good_until_another_is_made_or_it_is_ended_or_its_owner_leaves(scene: Scene) -> None:
    async def made(who: Ctx) -> str:
        async with access.work(who, "made a link") as ctx:
            return await visits.calendars.make(ctx)

    first = await made(scene.clinician)
    second = await made(scene.clinician)
    with pytest.raises(Gone):
        await followed(scene, first)
    assert await followed(scene, second) == []
    async with access.work(scene.clinician, "ended") as ctx:
        await visits.calendars.end(ctx)
    with pytest.raises(Gone):
        await followed(scene, second)
    third = await made(scene.clinician)
    async with access.work(scene.system, "left") as ctx:
        await ctx.sql.execute("update access.person set active = false where id = $1", scene.clinician_id)
    with pytest.raises(Gone):
        await followed(scene, third)
    with pytest.raises(Forbidden):
        await made(scene.nurse)


async def test_a_visit_that_may_not_be_seen_is_in_no_calendar(scene: Scene, clock: TurnableClock) -> None:
    visit = await planned(scene, clock.now() + timedelta(days=1))
    async with access.work(scene.clinician, "made a link") as ctx:
        secret = await visits.calendars.make(ctx)
    async with access.work(scene.colleague, "guessed") as ctx:
        with pytest.raises(Forbidden):
            await visits.calendars.one(ctx, visit.id, BASE)
    async with access.work(scene.system, "ended care") as ctx:
        for source in ("test", f"visit/{visit.id}"):
            await access.unrelate(ctx, source=source)
    clock.turn(timedelta(seconds=1))
    assert await followed(scene, secret) == []


@pytest.mark.parametrize(
    ("ahead", "minutes", "where"),
    [(timedelta(0), 20, "planned"), (timedelta(days=400), 20, "planned"), (timedelta(days=1), 21, "minutes")],
)
async def test_what_cannot_be_planned(
    scene: Scene, clock: TurnableClock, ahead: timedelta, minutes: int, where: str
) -> None:
    visit = await planned(scene, clock.now() + timedelta(days=1))
    async with access.work(scene.clinician, "moved") as ctx:
        with pytest.raises(Invalid) as refused:
            await visits.plan(ctx, visit.id, clock.now() + ahead, minutes, BASE)
    assert refused.value.where == where


async def asked_by_nurse(scene: Scene, at: datetime) -> visits.Visit:
    """Handed to the clinician, for then, the patient invited."""
    async with access.work(scene.nurse, "asked") as ctx:
        visit = await visits.ask(ctx, scene.record, "Depression", clinician=scene.clinician_id, planned=(at, 20))
    async with access.work(scene.clinician, "took") as ctx:
        await visits.take(ctx, visit.id)
        await visits.invite(ctx, visit.id, BASE)
    return visit


async def hers(scene: Scene) -> list[visits.Visit]:
    async with access.work(scene.clinician, "looked", readonly=True) as ctx:
        return [one for one in await visits.mine(ctx) if one.changed]


async def test_a_clinician_is_told_what_others_did_to_her_visit(scene: Scene, clock: TurnableClock) -> None:
    at = clock.now() + timedelta(days=3)
    visit = await asked_by_nurse(scene, at)
    before = await notices(scene)
    later = at + timedelta(hours=2)
    async with access.work(scene.nurse, "moved") as ctx:
        await visits.plan(ctx, visit.id, at + timedelta(hours=1), 20, BASE)
        await visits.plan(ctx, visit.id, later, 20, BASE)
    assert (await notices(scene))[len(before) :].count("visits.moved") == 2
    [moved] = await hers(scene)
    assert (moved.change, moved.change_by, moved.change_from) == ("moved", "Test nurse", at), "from what she last knew"
    async with access.work(scene.clinician, "noted") as ctx:
        await visits.note_change(ctx, visit.id, noted=True)
    assert await hers(scene) == []
    async with access.work(scene.clinician, "a slip") as ctx:
        await visits.note_change(ctx, visit.id, noted=False)
    assert len(await hers(scene)) == 1
    async with access.work(scene.clinician, "moved it herself") as ctx:
        await visits.plan(ctx, visit.id, at, 20, BASE)
    assert await hers(scene) == [], "she knows"
    with pytest.raises(Forbidden):
        async with access.work(scene.nurse, "noted for her") as ctx:
            await visits.note_change(ctx, visit.id, noted=True)


async def test_what_was_cancelled_stays_on_her_list_until_she_noted_it(scene: Scene, clock: TurnableClock) -> None:
    visit = await asked_by_nurse(scene, clock.now() + timedelta(days=9))
    async with access.work(scene.nurse, "cancelled") as ctx:
        await visits.cancel(ctx, visit.id, "Away")
    assert (await notices(scene))[-2:] == ["visits.cancelled", "visits.called-off"]
    clock.turn(timedelta(days=4))
    [gone] = await hers(scene)
    assert (gone.id, gone.change) == (visit.id, "cancelled")


async def test_her_own_changes_are_no_news_to_her(scene: Scene, clock: TurnableClock) -> None:
    visit = await planned(scene, clock.now() + timedelta(days=3))
    async with access.work(scene.clinician, "cancelled") as ctx:
        await visits.cancel(ctx, visit.id, "Ill")
    assert "visits.called-off" not in await notices(scene)
    assert await hers(scene) == []


async def test_a_caregivers_calendar_follows_what_they_may_see_as_long_as_they_may(
    scene: Scene, clock: TurnableClock
) -> None:
    at = clock.now() + timedelta(days=3)
    visit = await planned(scene, at)
    async with access.work(scene.system, "let two in") as ctx:
        new = [access.NewPerson(name=name, roles=frozenset({"caregiver"})) for name in ("Sees", "Reads")]
        sees, reads = [await access.add_person(ctx, one) for one in new]
        of, wanted = scene.record, ((sees, "visit"), (reads, "reading"))
        grants = [
            await access.grant(
                ctx, access.GrantRequest(person=who.id, patient=of, actions="R", what=frozenset({what}), source=what)
            )
            for who, what in wanted
        ]
    secrets = []
    for who in (sees, reads):
        async with access.work(acting(scene.system, who), "made a link") as ctx:
            secrets.append(await visits.calendars.make(ctx))
    assert await followed(scene, secrets[0]) == [("CONFIRMED", 0, at)]
    assert await followed(scene, secrets[1]) == []
    async with access.work(scene.system, "followed") as ctx:
        content = await visits.calendars.follow(ctx, secrets[0], BASE)
    assert f"{BASE}/visit/{visit.id}".encode() in content.replace(b"\r\n ", b""), "the patient's door, not the staff's"
    assert b"Depression" not in content
    async with access.work(scene.system, "took it back") as ctx:
        await access.revoke(ctx, grants[0])
    clock.turn(timedelta(seconds=1))
    assert await followed(scene, secrets[0]) == []


async def test_a_calendar_of_a_busy_clinician_holds_what_is_to_come(scene: Scene, clock: TurnableClock) -> None:
    """600 visits of the last weeks leave no place to nothing: each of them, and tomorrow's."""
    at = clock.now() + timedelta(days=1)
    visit = await planned(scene, at)
    async with access.work(scene.system, "months of work") as ctx:
        await ctx.sql.execute(
            """insert into visits.visit
               select (jsonb_populate_record(v, jsonb_build_object(
                   'id', gen_random_uuid(), 'planned_at', v.planned_at - n * interval '1 hour 50 minutes'))).*
               from visits.visit v, generate_series(24, 623) n where v.id = $1""",
            visit.id,
        )
    async with access.work(scene.clinician, "made a link") as ctx:
        secret = await visits.calendars.make(ctx)
    found = await followed(scene, secret)
    assert (len(found), found[-1]) == (601, ("CONFIRMED", 0, at))
