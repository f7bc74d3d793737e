"""How many alarms, what became of them, and what another limit would do, of those one may see."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.monitoring.alarms.conftest import PATIENT, Ward

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid
from bedside.monitoring.alarms.service import answers
from bedside.monitoring.alarms.testing import pressure

pytestmark = pytest.mark.engine

DAY = timedelta(days=1)


async def counted(ward: Ward, who: Ctx) -> monitoring.Burden:
    async with access.work(who, "looked", readonly=True) as ctx:
        return await monitoring.burden(ctx, ward.clock.now() - DAY, ward.clock.now() + DAY)


async def test_what_became_of_a_rule_s_alarms(ward: Ward) -> None:
    assert (await counted(ward, ward.nurse)).per_patient_day is None
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    alarm = await ward.only()
    ward.clock.turn(timedelta(seconds=90))
    await ward.by(ward.nurse, lambda ctx: answers.acknowledge(ctx, alarm.id, ""))
    await ward.by(ward.nurse, lambda ctx: answers.act(ctx, alarm.id, "Called the patient", "she rests"))
    await ward.by(ward.nurse, lambda ctx: answers.resolve(ctx, alarm.id, "over"))
    await ward.measure(*pressure(178, 112, ward.clock.now() + timedelta(seconds=1)))
    (second,) = await ward.alarms()
    await ward.by(ward.nurse, lambda ctx: answers.dismiss(ctx, second.id, "cuff on the wrong arm"))
    found = await counted(ward, ward.nurse)
    (rule,) = found.rules
    assert (rule.rule, rule.cause, rule.priority) == (alarm.finding["rule"], "blood-pressure-high", "medium")
    assert (rule.raised, rule.patients, rule.acted, rule.dismissed) == (2, 1, 1, 1)
    assert rule.median is not None
    assert 0 <= rule.median <= 90
    assert found.share_acted == 0.5


async def test_for_clinical_staff_of_those_they_see(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    with pytest.raises(Forbidden):
        await counted(ward, ward.patient)
    async with access.work(ward.ctx, "added a nurse elsewhere") as ctx:
        other = await access.add_person(ctx, access.NewPerson(name="Other", roles=frozenset({"nurse"}), id="other"))
    elsewhere = ward.nurse.with_(actor=ward.nurse.actor.__class__("person", other.id, other.name, other.roles))
    assert (await counted(ward, elsewhere)).rules == []


async def test_another_limit_over_the_past(ward: Ward) -> None:
    """Three high pressures, an hour apart, each followed by one that is not: two would be left at 190."""
    also = (monitoring.Typed("diastolic", 80),)
    for systolic in (185, 130, 195, 130, 192, 130):
        async with access.work(ward.nurse, "typed") as ctx:
            new = monitoring.NewReading(PATIENT, "systolic", systolic, also=also, confirmed=True)
            await monitoring.enter_reading(ctx, new)
        ward.clock.turn(timedelta(hours=1))
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        higher = await monitoring.what_if(ctx, "systolic-severe", 190)
        lower = await monitoring.what_if(ctx, "systolic-severe", 120)
        for rule, limit, where in (("nothing", 190, "rule"), ("systolic-severe", 4000, "limit")):
            with pytest.raises(Invalid) as refused:
                await monitoring.what_if(ctx, rule, limit)
            assert refused.value.where == where
    assert (len(higher.now), len(higher.then), len(higher.missed), len(higher.added)) == (3, 2, 1, 0)
    assert (len(lower.now), len(lower.then), len(lower.missed), len(lower.added)) == (3, 1, 0, 0)
    assert (higher.patients, higher.patient_days) in {(1, 1), (1, 2)}
    # Who has a limit of their own is no longer judged by the rule.
    own = monitoring.PatientLimit("systolic", ">", 200, "high", "known hypertension")
    await ward.by(ward.ctx, lambda ctx: monitoring.set_limits(ctx, PATIENT, [own]))
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        assert (await monitoring.what_if(ctx, "systolic-severe", 190)).patients == 0


async def test_a_programme_s_limit_can_be_replayed_for_who_is_in_it_and_what_looks_back_cannot(ward: Ward) -> None:
    ids = {row.id for row in monitoring.replayable(ward.clock.now())}
    assert {"glucose-low", "systolic-severe"} <= ids
    assert not ids & {"glucose-stays-very-high", "glucose-falls-fast", "spo2-below-own", "weight-gain-3-days"}
    async with access.work(ward.nurse, "typed") as ctx:
        await monitoring.enter_reading(ctx, monitoring.NewReading(PATIENT, "glucose", 65))
    ward.clock.turn(timedelta(hours=1))
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        assert (await monitoring.what_if(ctx, "glucose-low", 60)).patients == 0
        with pytest.raises(Invalid):
            await monitoring.what_if(ctx, "glucose-stays-very-high", 300)
    async with access.work(ward.ctx, "enrolled") as ctx:
        await monitoring.set_profile(ctx, PATIENT, programmes=["diabetes"], reason="test")
    async with access.work(ward.nurse, "looked", readonly=True) as ctx:
        found = await monitoring.what_if(ctx, "glucose-low", 60)
    assert (found.patients, len(found.now), len(found.then), len(found.missed)) == (1, 1, 0, 1)
