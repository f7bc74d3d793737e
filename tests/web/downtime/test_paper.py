"""A line of a sheet is typed in afterwards: with its true time, once, and never as a live alarm."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from bedside import access, monitoring, records
from bedside.access.testing import acting, someone
from bedside.monitoring import subscribers as monitoring_subscribers
from bedside.web.clinician import chart
from bedside.web.devices import held
from bedside.web.downtime import paper

pytestmark = pytest.mark.engine
LINE = {
    "sheet": "ward-3-1121-0900-01",
    "day": "2026-11-21",
    "clock": "09:10",
    "systolic": "124",
    "diastolic": "78",
    "words": "Paracetamol 1 g, J.K.",
}


@pytest.fixture
def house(ward: Any) -> Any:
    plain = ward.app_of

    def app_of(person: Any) -> Any:
        app = plain(person)
        app.router.routes[:0] = [*paper.ROUTES, *chart.ROUTES, *held.ROUTES]
        return app

    ward.app_of = app_of
    return ward


async def kept(house: Any) -> tuple[list[Any], list[Any]]:
    at = house.ctx.clock.now()
    async with access.work(acting(house.ctx, house.nurse), "looked", readonly=True) as ctx:
        series = await monitoring.series(ctx, house.rosa_id, "systolic", at - timedelta(days=2), at + timedelta(days=1))
        said = await records.search(ctx, "Communication", {"patient": house.rosa_id})
    return list(series.points), said.entries


async def test_a_line_is_kept_with_its_time_and_once(house: Any) -> None:
    async with house.as_(house.nurse) as client:
        for _ in range(2):
            answer = await client.post(f"/patients/{house.rosa_id}/paper", data=LINE)
            assert answer.status_code == 303, answer.text
        after = (await client.get(answer.headers["location"])).text
        assert "The line is kept, with its time" in after
        assert 'value="WARD-3-1121-0900-01"' in after, "the next line is of the same sheet"
    points, said = await kept(house)
    assert [(one.device_time.isoformat(), one.value) for one in points] == [("2026-11-21T09:10:00+00:00", 124.0)]
    assert [one["sent"] for one in said] == ["2026-11-21T09:10:00Z"]
    assert said[0]["payload"] == [{"contentString": "Paracetamol 1 g, J.K."}]
    assert "sheet WARD-3-1121-0900-01" in said[0]["note"][0]["text"]


async def test_two_lines_of_one_minute_are_both_kept(house: Any) -> None:
    async with house.as_(house.nurse) as client:
        for words in ("Paracetamol 1 g, J.K.", "Vomited, Dr Ruiz told", "Paracetamol  1 g, J.K."):
            line = {**LINE, "systolic": "", "diastolic": "", "words": words}
            assert (await client.post(f"/patients/{house.rosa_id}/paper", data=line)).status_code == 303
    _, said = await kept(house)
    assert sorted(one["payload"][0]["contentString"] for one in said) == [
        "Paracetamol 1 g, J.K.",
        "Vomited, Dr Ruiz told",
    ]


async def test_what_was_written_stands_on_the_chart_by_its_own_time(house: Any) -> None:
    """A dose that was given while nothing ran is seen by whoever gives the next one."""
    async with house.as_(house.nurse) as client:
        before = (await client.get(f"/patients/{house.rosa_id}")).text
        assert "Written on paper" not in before
        await client.post(f"/patients/{house.rosa_id}/paper", data=LINE)
        after = (await client.get(f"/patients/{house.rosa_id}")).text
    card = after[after.index('id="paper"') :]
    assert card.index("09:10") < card.index("Paracetamol 1 g, J.K.") < card.index("WARD-3-1121-0900-01")


async def test_an_old_danger_is_a_late_finding_and_no_alarm(house: Any) -> None:
    pat = acting(house.ctx, await someone(house.ctx, "administrator", name="Pat Morgan"))
    async with access.work(pat, "switched alarms on") as ctx:
        await monitoring.switch_function(ctx, "alarms", on=True, reason="this ward's decision")
    # As the job does that heeds a Patient in the record: an adult's limits are for who is known to be one.
    await monitoring_subscribers.profile(house.ctx, {"patient": house.rosa_id})
    async with house.as_(house.nurse) as client:
        high = {**LINE, "day": "2026-11-20", "systolic": "192", "diastolic": "121"}
        assert (await client.post(f"/patients/{house.rosa_id}/paper", data=high)).status_code == 303
    async with access.work(acting(house.ctx, house.nurse), "looked", readonly=True) as ctx:
        assert await monitoring.alarms(ctx, patient=house.rosa_id) == []
        assert [one.patient for one in await monitoring.late_findings(ctx)] == [house.rosa_id]
    async with house.as_(house.nurse) as client:
        older = {**LINE, "day": "2019-02-03"}  # before the first row of any table
        assert (await client.post(f"/patients/{house.rosa_id}/paper", data=older)).status_code == 303


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"sheet": "<b>"}, "The number stands above the lines"),
        ({"day": "yesterday"}, "Which day?"),
        ({"clock": "9 o’clock"}, "Write the time as 14:05."),
        ({"day": "2026-11-22"}, "That is in the future."),
        ({"systolic": "high"}, "Only a number, please."),
        ({"systolic": "999"}, "this cannot be"),
        ({"systolic": "", "diastolic": "", "words": ""}, "Type what stands in the line."),
        ({"words": "x" * 2001}, "At most 2000 letters."),
    ],
)
async def test_what_is_wrong_is_said_and_nothing_is_kept(house: Any, wrong: dict[str, str], words: str) -> None:
    async with house.as_(house.nurse) as client:
        answer = await client.post(f"/patients/{house.rosa_id}/paper", data={**LINE, **wrong})
        assert answer.status_code == 400
        assert words in answer.text
        assert "<b>" not in answer.text
        if "words" not in wrong:
            assert "Paracetamol 1 g, J.K." in answer.text, "what was typed is still there"
    assert await kept(house) == ([], [])


async def test_what_is_unusual_is_asked_once_and_a_patient_is_refused(house: Any) -> None:
    async with house.as_(house.nurse) as client:
        odd = {**LINE, "systolic": "261", "diastolic": "140"}
        asked = await client.post(f"/patients/{house.rosa_id}/paper", data=odd)
        assert asked.status_code == 422
        assert "Look at the paper again." in asked.text
        sure = await client.post(f"/patients/{house.rosa_id}/paper", data={**odd, "confirmed": "yes"})
        assert sure.status_code == 303
    async with house.as_(house.rosa) as client:
        assert (await client.get(f"/patients/{house.rosa_id}/paper")).status_code == 403


async def test_another_value_of_that_minute_is_told_of_where_it_is_typed(house: Any) -> None:
    """ "Kept" alone would say that the chart shows it."""
    here = f"/patients/{house.rosa_id}/paper"
    async with house.as_(house.nurse) as client:
        first = await client.post(here, data=LINE)
        assert "has another value" not in (await client.get(first.headers["location"])).text
        second = await client.post(here, data={**LINE, "systolic": "134", "words": ""})
        page = (await client.get(second.headers["location"])).text
        plain = " ".join(re.sub(r"<[^>]*>", " ", page).split())
        assert re.search("The line is kept, but [^.]*09:10.{0,5} has another value", plain)
        assert "124 mmHg stands; 134 mmHg is shown on the chart as a conflict" in plain
        assert "The line is kept, with its time" not in plain
        assert "Diastolic" not in plain.partition("See both values")[0], "the one that is the same is no conflict"
        assert f'href="/patients/{house.rosa_id}/devices#conflicts"' in page
        # What stands is said again for the same line, and not for another one.
        again = await client.post(here, data={**LINE, "systolic": "134", "words": ""})
        assert "134 mmHg is shown" in (await client.get(again.headers["location"])).text
        same = await client.post(here, data=LINE)
        assert "has another value" not in (await client.get(same.headers["location"])).text
        later = await client.post(here, data={**LINE, "clock": "09:20", "systolic": "134"})
        assert "has another value" not in (await client.get(later.headers["location"])).text
        assert (await client.get(f"{here}?kept=1&at=never")).status_code == 200
    points, _ = await kept(house)
    assert [one.value for one in points] == [124.0, 134.0]
    async with access.work(acting(house.ctx, house.nurse), "took it back") as ctx:
        await monitoring.withdraw(ctx, points[0].id, "wrong patient")
    async with house.as_(house.nurse) as client:
        page = (await client.get(second.headers["location"])).text
    assert "124 mmHg was taken back; 134 mmHg is shown on the chart as a conflict" in page


async def test_a_letter_of_that_minute_is_told_of_too(house: Any) -> None:
    here = f"/patients/{house.rosa_id}/paper"
    line = {**LINE, "systolic": "", "diastolic": "", "words": ""}
    async with house.as_(house.nurse) as client:
        await client.post(here, data={**line, "consciousness": "A"})
        second = await client.post(here, data={**line, "consciousness": "V"})
        page = (await client.get(second.headers["location"])).text
    plain = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "A: alert stands; V: responds to voice is shown on the chart as a conflict" in plain
    # Where the page leads to: in words, and no name of a device that nobody holds.
    async with house.as_(house.nurse) as client:
        page = (await client.get(f"/patients/{house.rosa_id}/devices")).text
    both = page[page.index('id="conflicts"') :]
    assert both.index("A: alert") < both.index("V: responds to voice") < both.index("typed in")
    assert "ty-" not in re.sub(r"<[^>]*>", "", both)
