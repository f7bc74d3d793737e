"""Old readings are thinned and deleted by policy: never younger ones, never evidence, never half."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.monitoring.series.test_landing import device

from bedside import access, monitoring, records
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden, Invalid
from bedside.foundation.ids import uuid7
from bedside.monitoring.alarms.model import Alarm
from bedside.monitoring.alarms.store import alarms as alarm_store
from bedside.monitoring.devices.service import devices
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.retention import service, store
from bedside.monitoring.retention.model import DAY, HOUR, Evidence, horizon, thin
from bedside.monitoring.series.model.chunk import Kept
from bedside.monitoring.series.model.identity import Identity
from bedside.monitoring.testing import chunked

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]
MINUTE = timedelta(minutes=1)
PULSE = BY_NAME["heart-rate"].number


async def administrator(ctx: Ctx) -> Ctx:
    return acting(ctx, await someone(ctx, "administrator", name="Pat Morgan"))


async def policy(ctx: Ctx, thin_days: int | None = 100, delete_days: int | None = None, kind: str = "readings") -> None:
    async with access.work(await administrator(ctx), "set") as work:
        await monitoring.set_retention(work, kind, thin_days, delete_days, "storage is short")


async def a_past(
    ctx: Ctx, clock: TurnableClock, days: float = 104, count: int = 12_000, **more: Any
) -> tuple[str, int]:
    """A monitor's minutes, from `days` ago on, one at the turn of an hour; device and its number."""
    name = await device(ctx, kind="monitor", **more)
    start = (clock.now() - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
    async with access.work(ctx, "laid a past") as work:
        await chunked(work, name, "heart-rate", start, MINUTE, [60.0 + n % 60 for n in range(count)])
        return name, (await devices.hold(work, {name}))[name].number


async def held(ctx: Ctx) -> list[tuple[int, float]]:
    async with access.work(ctx, "looked") as work:
        rows = await work.sql.fetch("select time, value from monitoring.reading where metric = 1 order by time")
        return [(row["time"], row["value"]) for row in rows]


async def hours(ctx: Ctx) -> list[Any]:
    async with access.work(ctx, "looked") as work:
        return list(await work.sql.fetch("select * from monitoring.summary order by hour"))


async def whole(ctx: Ctx) -> Any:
    """Everything that a run may change."""
    async with access.work(ctx, "looked") as work:
        return [
            [tuple(row) for row in await work.sql.fetch(f"select * from monitoring.{table} order by 1, 2, 3")]  # noqa: S608
            for table in ("chunk", "summary", "thinned_until")
        ]


def border(clock: TurnableClock, days: int) -> int:
    return horizon(devices.microseconds(clock.now()), days)


async def test_without_a_policy_nothing_happens(ctx: Ctx, clock: TurnableClock) -> None:
    await a_past(ctx, clock, days=900, count=2000)
    before = await whole(ctx)
    assert await service.keep_house(ctx) == {}
    assert await whole(ctx) == before


async def test_old_hours_are_thinned_and_nothing_younger_is_touched(ctx: Ctx, clock: TurnableClock) -> None:
    await a_past(ctx, clock)
    before = await held(ctx)
    await policy(ctx)
    line = border(clock, 100)
    run = (await service.keep_house(ctx))[1]
    after = await held(ctx)
    assert [one for one in after if one[0] >= line] == [one for one in before if one[0] >= line]
    assert not [one for one in after if one[0] < line]
    old = [one for one in before if one[0] < line]
    assert run.thinned == len(old) > 4000
    made = await hours(ctx)
    assert run.hours == len(made)
    assert sum(row["n"] for row in made) == len(old)
    for row in made:
        values = [value for time, value in old if row["hour"] <= time < row["hour"] + HOUR]
        assert (row["n"], row["low"], row["high"]) == (len(values), min(values), max(values))
        assert row["mean"] == pytest.approx(sum(values) / len(values))


async def test_a_repeated_run_does_nothing(ctx: Ctx, clock: TurnableClock) -> None:
    await a_past(ctx, clock)
    await policy(ctx)
    await service.keep_house(ctx)
    before = await whole(ctx)
    run = (await service.keep_house(ctx))[1]
    assert (run.thinned, run.hours, run.deleted) == (0, 0, 0)
    assert await whole(ctx) == before
    async with access.work(await administrator(ctx), "looked") as work:
        assert len(await monitoring.retention_runs(work)) == 1


@pytest.mark.parametrize("where", ["add_hours", "judged"])
async def test_cut_off_in_the_middle_nothing_is_half_done(
    ctx: Ctx, clock: TurnableClock, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    await a_past(ctx, clock, days=120, count=40_000)
    await policy(ctx)
    readings = {time for time, _ in await held(ctx)}
    monkeypatch.setattr(service, "AT_ONCE", 4)
    real, calls = getattr(store, where), []

    async def dies(*arguments: Any) -> None:
        calls.append(1)
        await real(*arguments)
        if len(calls) == 3:
            raise RuntimeError("killed")

    monkeypatch.setattr(store, where, dies)
    with pytest.raises(RuntimeError):
        await service.keep_house(ctx)
    # Two transactions stand whole, the third left nothing: each reading is held or counted in an hour, once.
    made = await hours(ctx)
    assert made
    kept = {time for time, _ in await held(ctx)}
    counted = sum(row["n"] for row in made)
    assert len(kept) + counted == len(readings)
    assert not [t for t in kept for row in made[-1:] if row["hour"] <= t < row["hour"] + HOUR]
    assert min(kept) >= made[-1]["hour"] + HOUR
    monkeypatch.setattr(store, where, real)
    await service.keep_house(ctx)
    assert len(await held(ctx)) + sum(row["n"] for row in await hours(ctx)) == len(readings)
    assert min(time for time, _ in await held(ctx)) >= border(clock, 100)


async def test_evidence_is_never_touched(ctx: Ctx, clock: TurnableClock) -> None:
    _, number = await a_past(ctx, clock, days=120, count=20_000)
    before = await held(ctx)
    at = [datetime.fromtimestamp(before[n][0] / 1e6, UTC) for n in (3000, 6000, 9000)]
    lone = Identity(number, PULSE, before[1500][0])
    async with access.work(ctx, "pointed") as work:
        finding = {"inputs": [{"id": lone.id, "metric": "heart-rate"}]}
        alarm = Alarm(uuid7(), "p1", uuid7(), "heart-rate-high", "high", "resolved", finding, at[0], at[0], at[0])
        await alarm_store.insert(work.sql, 1, alarm)
        closed = {"ended_at": at[0] + timedelta(hours=2), "closed_at": at[0] + timedelta(hours=2)}
        await alarm_store.change(work.sql, 1, alarm.id, **closed)
        period = {"start": at[1].isoformat(), "end": (at[1] + timedelta(minutes=30)).isoformat()}
        visit = {"resourceType": "Encounter", "status": "finished", "class": {"code": "VR"}, "period": period}
        await records.create(work, {**visit, "subject": {"reference": "Patient/p1"}})
        await monitoring.withdraw(work, Identity(number, PULSE, before[9000][0]).id, "not mine")
    await policy(ctx, thin_days=95, delete_days=110)
    await service.keep_house(ctx)
    after = {time for time, _ in await held(ctx)}
    assert lone.time in after
    assert before[9000][0] in after
    for since, until in ((at[0], at[0] + timedelta(hours=2)), (at[1], at[1] + timedelta(minutes=30))):
        wanted = [time for time, _ in before if since.timestamp() * 1e6 <= time <= until.timestamp() * 1e6]
        assert wanted
        assert after >= set(wanted)
    deleted = [t for t, _ in before if t < border(clock, 110)]
    assert len([t for t in after if t < border(clock, 110)]) < len(deleted) / 10


async def test_what_is_older_still_is_deleted_with_its_hours(ctx: Ctx, clock: TurnableClock) -> None:
    await a_past(ctx, clock, days=110, count=20_000)
    await policy(ctx, thin_days=100)
    await service.keep_house(ctx)
    assert await hours(ctx)
    clock.turn(timedelta(days=20))
    await policy(ctx, thin_days=100, delete_days=120)
    run = (await service.keep_house(ctx))[1]
    line = border(clock, 120)
    assert run.deleted > 0
    left = await hours(ctx)
    assert left
    assert left[0]["hour"] >= line
    assert run.deleted + sum(row["n"] for row in left) + len(await held(ctx)) == 20_000


def kept(time: int, received: int | None = None, flags: int = 0, patient: str = "p1") -> Kept:
    return Kept(time, 70.0, time if received is None else received, patient, flags)


def test_an_hour_is_judged_whole_and_by_both_clocks() -> None:
    full = [kept(HOUR + n) for n in range(10)]
    judge = (1, 1), Evidence(), 10 * DAY, 10 * DAY
    assert thin(full, *judge, frozenset()).thinned == 10
    assert thin(full[:5], *judge, frozenset()).thinned == 0
    assert thin(full, *judge, frozenset({HOUR})).stay == full
    assert thin([*full[:9], kept(HOUR + 9, 10 * DAY)], *judge, frozenset()).thinned == 0
    assert thin([*full[:9], kept(HOUR + 9, patient="p2")], *judge, frozenset()).thinned == 0
    assert thin(full, (1, 1), Evidence(), HOUR + 20, 10 * DAY, frozenset()).thinned == 0


async def test_a_preview_says_what_a_run_then_does_and_writes_nothing(ctx: Ctx, clock: TurnableClock) -> None:
    await a_past(ctx, clock, days=120, count=20_000)
    before = await whole(ctx)
    async with access.work(await administrator(ctx), "looked ahead") as work:
        said = await monitoring.preview_retention(work, "readings", 95, 115)
    assert await whole(ctx) == before
    await policy(ctx, thin_days=95, delete_days=115)
    run = (await service.keep_house(ctx))[1]
    assert (said.thinned, said.hours, said.deleted) == (run.thinned, run.hours, run.deleted)
    assert said.exact
    assert said.deleted > 0 < said.thinned


async def test_only_an_administrator_sets_it_and_not_to_anything(ctx: Ctx) -> None:
    nurse = acting(ctx, await someone(ctx, "nurse"))
    with pytest.raises(Forbidden):
        async with access.work(nurse, "set") as work:
            await monitoring.set_retention(work, "readings", 100, None, "because")
    for thin_days, delete_days, reason in (
        (10, None, "because"),
        (100, 100, "because"),
        (None, 89, "because"),
        (100, 200, " "),
    ):
        with pytest.raises(Invalid):
            async with access.work(await administrator(ctx), "set") as work:
                await monitoring.set_retention(work, "readings", thin_days, delete_days, reason)
    with pytest.raises(Invalid):
        await policy(ctx, thin_days=100, kind="waveforms")


async def test_thinned_hours_read_as_summaries_and_never_as_measured(ctx: Ctx, clock: TurnableClock) -> None:
    await a_past(ctx, clock)
    await policy(ctx)
    await service.keep_house(ctx)
    async with access.work(ctx, "looked") as work:
        since = clock.now() - timedelta(days=105)
        series = await monitoring.series(work, "p1", "heart-rate", since, clock.now())
        params = [("patient", "p1"), ("code", "8867-4"), ("date", f"lt{clock.now() - timedelta(days=102):%Y-%m-%d}")]
        page = await records.search(work, "Observation", [*params, ("_count", "5")])
        one = await records.read(work, "Observation", page.entries[0]["id"])
    assert series.summaries
    assert min(point.device_time for point in series.points) >= series.summaries[-1].until
    assert sum(s.count for s in series.summaries) + series.count >= 12_000
    for found in (*page.entries, one):
        assert "valueQuantity" not in found
        assert "Not a measured value" in found["note"][0]["text"]
        assert found["meta"]["tag"][0]["code"] == "thinned"
        assert "effectivePeriod" in found
    assert [c["code"]["coding"][0]["code"] for c in one["component"]] == ["minimum", "average", "maximum", "count"]


async def test_each_transaction_leaves_its_audit_entry(ctx: Ctx, clock: TurnableClock) -> None:
    await a_past(ctx, clock)
    await policy(ctx)
    await service.keep_house(ctx)
    async with access.work(ctx, "looked") as work:
        lines = await access.who_looked(work, "p1")
    assert "thinned old readings" in {line.action for line in lines}
