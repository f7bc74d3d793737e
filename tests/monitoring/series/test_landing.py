"""The identity rule and the time rule, on a real PostgreSQL: each reading once, for the right person."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from tests.monitoring.series.keeping import settle

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid, NotFound, Unprocessable
from bedside.monitoring.ingest.model.pack import Refusal
from bedside.monitoring.series.model.landing import together
from bedside.monitoring.series.service.landing import Receipt
from bedside.monitoring.service import land
from bedside.monitoring.testing import arrival, pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()
DAY = 86400.0
EVER = datetime(2000, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


async def device(ctx: Ctx, patient: str | None = "p1", kind: str = "blood-pressure", **more: object) -> str:
    async with access.work(ctx, "added a device") as inner:
        new = monitoring.NewDevice(kind=kind, patient=patient, **more)  # type: ignore[arg-type]
        return (await monitoring.add_device(inner, new)).device


async def sent(ctx: Ctx, name: str, *packs: bytes, at: float = NOON) -> list[Receipt]:
    async with access.work(ctx, "landed packs") as inner:
        receipts = await land(inner, [arrival(name, payload, at) for payload in packs])
    await settle(ctx)
    return receipts


async def newest(ctx: Ctx, patient: str = "p1") -> dict[str, monitoring.Latest]:
    async with access.work(ctx, "looked") as inner:
        return {latest.metric: latest for latest in (await monitoring.latest(inner, [patient]))[patient]}


async def points(ctx: Ctx, metric: str, patient: str = "p1") -> list[tuple[float, float | str]]:
    async with access.work(ctx, "looked") as inner:
        found = await monitoring.series(inner, patient, metric, *EVER)
        return [(point.device_time.timestamp(), point.value) for point in found.points]


async def events(ctx: Ctx) -> dict[str, int]:
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "took into care") as inner:
        await access.relate(inner, person=nurse.id, patient="p1", kind="care", source="test")
    async with access.work(acting(ctx, nurse), "looked at technical events") as inner:
        return {event.kind: event.count for event in await monitoring.technical_events(inner)}


def pulse(seq: int | None, *values: tuple[float, float | None]) -> bytes:
    return pack(seq, *(("heart-rate", value, "/min", at) for value, at in values))


async def test_a_repeated_pack_is_held_once_and_acknowledged_again(ctx: Ctx) -> None:
    name = await device(ctx)
    payload = pulse(1, (70, NOON - 2), (71, NOON - 1))
    for _ in range(3):
        assert (await sent(ctx, name, payload))[0].stored == 2
    assert [receipt.stored for receipt in await sent(ctx, name, payload, payload)] == [2, 2]
    assert await points(ctx, "heart-rate") == [(NOON - 2, 70), (NOON - 1, 71)]
    assert (await events(ctx))["repeat"] == 8


async def test_a_repeat_with_relative_times_is_known_by_its_counter_and_bytes(ctx: Ctx) -> None:
    name = await device(ctx)
    payload = pulse(7, (70, None))
    await sent(ctx, name, payload)
    assert (await sent(ctx, name, payload, at=NOON + 9))[0].stored == 1
    assert await points(ctx, "heart-rate") == [(NOON, 70)]
    # Another pack under the same number, as after a reset of the device, is another pack.
    await sent(ctx, name, pulse(7, (75, None)), at=NOON + 20)
    assert await points(ctx, "heart-rate") == [(NOON, 70), (NOON + 20, 75)]


async def test_another_value_of_the_same_moment_is_kept_beside_and_overwrites_nothing(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pulse(1, (70, NOON - 1)))
    for _ in range(2):
        assert (await sent(ctx, name, pulse(2, (99, NOON - 1))))[0].stored == 1
    assert await points(ctx, "heart-rate") == [(NOON - 1, 70)]
    assert (await newest(ctx))["heart-rate"].value == 70
    async with access.work(ctx, "looked") as inner:
        found = await monitoring.conflicts(inner, "p1")
    assert [(conflict.kept, conflict.other) for conflict in found] == [(70, 99)]
    assert "conflict" in await events(ctx)


async def test_disorder_within_and_across_packs(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(
        ctx, name, pulse(3, (73, NOON - 10)), pulse(1, (71, NOON - 30), (70, NOON - 40)), pulse(2, (72, NOON - 20))
    )
    assert [value for _, value in await points(ctx, "heart-rate")] == [70, 71, 72, 73]
    assert (await newest(ctx))["heart-rate"].value == 73
    assert (await events(ctx))["disorder"] == 3


async def test_the_same_moment_in_one_pack_twice(ctx: Ctx) -> None:
    name = await device(ctx)
    receipt = (await sent(ctx, name, pulse(1, (70, NOON - 5), (70, NOON - 5), (80, NOON - 5))))[0]
    assert receipt.stored == 3
    assert await points(ctx, "heart-rate") == [(NOON - 5, 70)]


async def test_a_clock_a_day_ahead_is_stored_and_flagged_and_never_newest(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pulse(1, (70, NOON - 5)))
    receipt = (await sent(ctx, name, pulse(2, (150, NOON + DAY))))[0]
    assert receipt == Receipt(2, 1, [])
    assert (await newest(ctx))["heart-rate"].value == 70
    assert await points(ctx, "heart-rate") == [(NOON - 5, 70), (NOON + DAY, 150)]
    assert (await events(ctx))["clock"] == 1
    # What comes later with the clock put right is newest again, and the leading pack is still known.
    await sent(ctx, name, pulse(3, (72, NOON + 5)), pulse(2, (150, NOON + DAY)), at=NOON + 6)
    assert (await newest(ctx))["heart-rate"].value == 72
    assert len(await points(ctx, "heart-rate")) == 3


async def test_how_far_a_clock_ran_ahead_is_said_by_the_most(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pulse(1, (70, NOON + DAY)))
    await sent(ctx, name, pulse(2, (71, NOON + 600)))
    nurse = await someone(ctx, "nurse")
    async with access.work(ctx, "took into care") as inner:
        await access.relate(inner, person=nurse.id, patient="p1", kind="care", source="test")
    async with access.work(acting(ctx, nurse), "looked at technical events") as inner:
        [clock] = [event for event in await monitoring.technical_events(inner) if event.kind == "clock"]
    assert (clock.count, clock.detail["most_seconds"]) == (2, DAY)


async def test_a_device_may_be_named_by_whoever_adds_it(ctx: Ctx) -> None:
    assert await device(ctx, name="bl-0123456789") == "bl-0123456789"
    assert await device(ctx) != await device(ctx)


async def test_a_clock_a_day_behind_and_a_year_ago_are_stored_and_flagged(ctx: Ctx) -> None:
    name = await device(ctx)
    await sent(ctx, name, pulse(1, (70, NOON - DAY), (60, NOON - 365 * DAY)))
    assert len(await points(ctx, "heart-rate")) == 2
    latest = (await newest(ctx))["heart-rate"]
    assert latest.value == 70
    assert latest.stale
    assert latest.flags == {"late"}
    assert (await events(ctx))["late"] == 2


async def test_impossible_times_are_refused_by_index(ctx: Ctx) -> None:
    name = await device(ctx)
    receipt = (await sent(ctx, name, pulse(1, (70, -62_135_596_800), (71, 4_070_908_800), (72, NOON))))[0]
    assert receipt.stored == 1
    assert receipt.refused == [
        Refusal(1, "the time is before the year 2000"),
        Refusal(2, "the time is more than 48 h ahead of now"),
    ]


async def test_a_reading_belongs_to_whoever_held_the_device_then(ctx: Ctx) -> None:
    name = await device(ctx, patient=None)
    async with access.work(ctx, "assigned") as inner:
        await monitoring.assign_device(inner, name, "p1", since=datetime.fromtimestamp(NOON - 100, UTC))
    async with access.work(ctx, "assigned") as inner:
        await monitoring.assign_device(inner, name, "p2", since=datetime.fromtimestamp(NOON - 50, UTC))
    await sent(ctx, name, pulse(1, (61, NOON - 150), (62, NOON - 75), (63, NOON - 50), (64, NOON - 1)))
    assert [value for _, value in await points(ctx, "heart-rate", "p1")] == [62]
    assert [value for _, value in await points(ctx, "heart-rate", "p2")] == [63, 64]
    assert (await events(ctx))["unassigned"] == 1
    # A person says who held it before: the waiting reading is theirs, the others stay where they are.
    async with access.work(ctx, "assigned") as inner:
        with pytest.raises(Conflict):
            await monitoring.assign_device(inner, name, "p3", since=datetime.fromtimestamp(NOON - 200, UTC))
    async with access.work(ctx, "assigned") as inner:
        span = datetime.fromtimestamp(NOON - 200, UTC), datetime.fromtimestamp(NOON - 100, UTC)
        assert await monitoring.assign_device(inner, name, "p3", since=span[0], until=span[1]) == 1
    assert [value for _, value in await points(ctx, "heart-rate", "p3")] == [61]
    assert (await newest(ctx, "p3"))["heart-rate"].value == 61
    assert (await sent(ctx, name, pulse(1, (61, NOON - 150), (62, NOON - 75))))[0].stored == 2
    assert [value for _, value in await points(ctx, "heart-rate", "p3")] == [61]


async def test_an_unknown_device_stores_nothing_and_is_seen(ctx: Ctx) -> None:
    receipt = (await sent(ctx, "bp-stranger", pulse(1, (70, NOON))))[0]
    assert not receipt.known
    assert receipt.stored == 0
    assert await events(ctx) == {"unknown-device": 1}


async def test_what_befell_a_patient_s_device_is_seen_by_those_who_care_for_the_patient(ctx: Ctx) -> None:
    for patient in ("p1", "p2"):
        await sent(ctx, await device(ctx, patient), pulse(1, (70, NOON + DAY)))
    assert await events(ctx) == {"clock": 1}
    everyone = acting(ctx, await someone(ctx, "nurse"))
    async with access.work(everyone, "looked at technical events") as inner:
        assert await monitoring.technical_events(inner) == []


async def test_the_newest_grows_stale(ctx: Ctx, clock: TurnableClock) -> None:
    cuff, monitor = await device(ctx), await device(ctx, kind="monitor")
    await sent(ctx, cuff, pack(1, ("systolic", 120, "mm[Hg]", NOON), ("diastolic", 80, "mm[Hg]", NOON)))
    await sent(ctx, monitor, pulse(1, (70, NOON)))
    assert not any(latest.stale for latest in (await newest(ctx)).values())
    clock.turn(timedelta(minutes=2))
    assert {metric for metric, latest in (await newest(ctx)).items() if latest.stale} == {"heart-rate"}
    clock.turn(timedelta(hours=12))
    assert all(latest.stale for latest in (await newest(ctx)).values())


async def test_gaps_are_named(ctx: Ctx) -> None:
    name = await device(ctx, kind="monitor")
    await sent(ctx, name, pulse(1, (70, NOON - 600), (71, NOON - 590), (72, NOON - 100)))
    async with access.work(ctx, "looked") as inner:
        found = await monitoring.series(inner, "p1", "8867-4", *EVER)
    assert [(gap.since.timestamp(), gap.until.timestamp()) for gap in found.gaps] == [(NOON - 590, NOON - 100)]


async def test_units_are_converted_and_what_was_sent_stays_beside(ctx: Ctx) -> None:
    name = await device(ctx)
    readings = (("temperature", 100.4, "[degF]", NOON), ("weight", 180, "[lb_av]", NOON), ("systolic", 16, "kPa", NOON))
    await sent(ctx, name, pack(1, *readings, ("glucose", 5.5, "mmol/L", NOON)))
    values = {metric: latest.value for metric, latest in (await newest(ctx)).items()}
    assert values == {"temperature": 38.0, "weight": 81.65, "systolic": 120, "glucose": 99}


async def test_typed_readings_ask_for_a_second_look_and_are_marked(ctx: Ctx) -> None:
    async with access.work(ctx, "typed") as inner:
        with pytest.raises(Unprocessable):
            await monitoring.enter_reading(inner, monitoring.NewReading("p1", "heart-rate", 29))
        with pytest.raises(Invalid):
            await monitoring.enter_reading(inner, monitoring.NewReading("p1", "spo2", 101))
        with pytest.raises(Invalid):
            bad = monitoring.NewReading("p1", "systolic", 80, also=(monitoring.Typed("diastolic", 120),))
            await monitoring.enter_reading(inner, bad)
    async with access.work(ctx, "typed") as inner:
        kept = await monitoring.enter_reading(inner, monitoring.NewReading("p1", "heart-rate", 29, confirmed=True))
        letter = await monitoring.enter_reading(inner, monitoring.NewReading("p1", "consciousness", "V"))
        air = await monitoring.enter_reading(inner, monitoring.NewReading("p1", "oxygen", 0))
    assert kept.source == "patient"
    assert kept.device is None
    assert kept.flags == {"implausible"}
    assert (letter.value, air.value) == ("V", 0)
    assert (await newest(ctx))["consciousness"].value == "V"


async def test_that_was_not_me(ctx: Ctx) -> None:
    name = await device(ctx)
    for seq, (at, systolic) in enumerate(((NOON - 60, 130), (NOON - 5, 190))):
        await sent(ctx, name, pack(seq, ("systolic", systolic, "mm[Hg]", at), ("diastolic", 85, "mm[Hg]", at)))
    wrong = (await newest(ctx))["diastolic"].id
    async with access.work(ctx, "withdrew a reading") as inner:
        with pytest.raises(Invalid):
            await monitoring.withdraw(inner, wrong, " ")
        with pytest.raises(NotFound):
            await monitoring.withdraw(inner, "r.1.1.5", "not me")
        gone = await monitoring.withdraw(inner, wrong, "my wife used it")
    assert sorted(reading.metric for reading in gone) == ["diastolic", "systolic"]
    assert (await newest(ctx))["systolic"].value == 130
    async with access.work(ctx, "looked") as inner:
        found = await monitoring.series(inner, "p1", "systolic", *EVER)
    assert [(point.value, point.withdrawn) for point in found.points] == [(130, False), (190, True)]
    # Sent again, it stays withdrawn.
    await sent(ctx, name, pack(9, ("systolic", 190, "mm[Hg]", NOON - 5)))
    assert (await newest(ctx))["systolic"].value == 130


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_any_repeat_any_batch_ends_as_the_rule_says(ctx: Ctx, seed: int) -> None:
    """Two devices, few moments, three values: the first value of each moment stands, others are conflicts, once."""
    rng = random.Random(seed)
    names = [await device(ctx, kind="monitor") for _ in range(2)]
    first: dict[tuple[str, str, float], float] = {}
    others: set[tuple[str, str, float, float]] = set()
    packs = [
        (
            rng.choice(names),
            [
                (rng.choice(("heart-rate", "spo2")), rng.choice((90, 91, 92)), NOON - rng.randrange(25))
                for _ in range(rng.randrange(1, 7))
            ],
        )
        for _ in range(60)
    ]
    packs += rng.choices(packs, k=40)
    units = {"heart-rate": "/min", "spo2": "%"}
    while packs:
        batch, packs = packs[: (size := rng.randrange(1, 12))], packs[size:]
        for name, readings in batch:
            for metric, value, at in readings:
                if first.setdefault((name, metric, at), value) != value:
                    others.add((name, metric, at, value))
        arrivals = [
            arrival(name, pack(None, *((metric, value, units[metric], at) for metric, value, at in readings)), NOON)
            for name, readings in batch
        ]
        async with access.work(ctx, "landed packs") as inner:
            receipts = await land(inner, arrivals)
        assert [receipt.stored for receipt in receipts] == [len(readings) for _, readings in batch]
    found: dict[tuple[str, str, float], float] = {}
    async with access.work(ctx, "looked") as inner:
        for metric in units:
            for point in (await monitoring.series(inner, "p1", metric, *EVER)).points:
                key = (str(point.device), metric, point.device_time.timestamp())
                assert key not in found
                found[key] = float(point.value)
        conflicts = await monitoring.conflicts(inner, "p1")
    assert found == first
    assert {(c.device, c.metric, c.device_time.timestamp(), float(c.other)) for c in conflicts} == others
    assert len(conflicts) == len(others)


def test_what_lies_together_is_looked_up_as_one() -> None:
    minute = 60 * 1_000_000
    assert together([(1, 0, 5), (2, 0, 5), (1, 3, 9)]) == [(1, 0, 9), (2, 0, 5)]
    assert together([(1, n * minute, n * minute) for n in range(2000)]) == [(1, 0, 1999 * minute)]
    assert together([(1, 0, 0), (1, 24 * 60 * minute, 24 * 60 * minute)]) == [
        (1, 0, 0),
        (1, 24 * 60 * minute, 24 * 60 * minute),
    ]
    assert together([(1, 0, 50 * minute), (1, minute, minute)]) == [(1, 0, 50 * minute)]
