"""Alarms without JavaScript: list, one alarm, answers, and who may not."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from bedside import access, monitoring
from bedside.foundation.ids import uuid7
from bedside.monitoring.alarms.model import Alarm
from bedside.monitoring.alarms.service import life
from bedside.monitoring.alarms.service.judge import judge
from bedside.monitoring.alarms.store import baselines
from bedside.monitoring.alarms.testing import reading
from bedside.monitoring.rules.model.past import Baseline
from bedside.web.wall import alarms

from .conftest import House, serving

pytestmark = pytest.mark.journey

HTML = {"accept": "text/html"}


async def test_list_open_acknowledge_undo_act_resolve_by_plain_forms(house: House) -> None:
    await house.enter("patient-1", "systolic", 178, diastolic=112)
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML, follow_redirects=True) as web:
        listing = (await web.get("/alarms")).text
        assert "Rosa Gil" in listing
        assert "High pressure" in listing
        assert "not seen yet" in listing
        alarm = re.search(r'action="/alarms/([\w-]+)/acknowledge"', listing)
        assert alarm is not None
        at = f"/alarms/{alarm[1]}"
        page = (await web.get(at)).text
        for said in ("178", "112", "-raised", "site choice", "Raised", "asked: Kim Park", "typed by a person"):
            assert said in page, said
        answered = (await web.post(f"{at}/acknowledge", data={"back": "/alarms"})).text
        assert "Undo" in answered
        assert "acknowledged" in answered
        assert "not seen yet" in (await web.post(f"{at}/undo")).text
        assert (await web.post(f"{at}/resolve")).status_code == 409
        assert (await web.post(f"{at}/false-alarm", data={"reason": ""})).status_code == 400
        acted = (await web.post(f"{at}/act", data={"action": "Called the patient", "reason": "she rests"})).text
        assert "Called the patient" in acted
        assert "she rests" in acted
        assert "This alarm is closed" in (await web.post(f"{at}/resolve")).text
        assert "No open alarms" in (await web.get("/alarms")).text
        assert "High pressure" in (await web.get("/alarms?all=1")).text


async def test_open_alarms_come_worst_first_and_closed_ones_below_them(house: House) -> None:
    await house.enter("patient-1", "systolic", 165, diastolic=95)
    await house.enter("patient-2", "systolic", 190, diastolic=112)
    await house.enter("patient-2", "spo2", 93)
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML, follow_redirects=True) as web:
        found = re.findall(r'chip-(\w+)".*?href="/alarms/([\w-]+)"', (await web.get("/alarms?all=1")).text)
        assert [priority for priority, _ in found] == ["high", "medium", "medium"]
        worst = found[0][1]
        closed = {"action": "Called the patient", "reason": "she rests"}
        assert (await web.post(f"/alarms/{worst}/act", data=closed)).status_code == 200
        assert (await web.post(f"/alarms/{worst}/resolve")).status_code == 200
        after = re.findall(r'chip-(\w+)".*?href="/alarms/([\w-]+)"', (await web.get("/alarms?all=1")).text)
    assert [one for _, one in after[:2]] == [one for _, one in found[1:]]
    assert after[2][1] == worst


async def test_the_oldest_open_alarm_is_cut_from_no_list(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more than a page holds, those stand there that matter most, and the others are counted."""
    monkeypatch.setattr(alarms, "LISTED", 1)
    await house.enter("patient-1", "systolic", 190, diastolic=112)
    for metric, value in (("spo2", 93), ("heart-rate", 118)):
        await house.enter("patient-2", metric, value)
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML) as web:
        page = (await web.get("/alarms")).text
        assert "High pressure" in page
        assert "2 more alarms are open than this page lists." in page
        assert "High pressure" in (await web.get("/alarms?all=1")).text
    async with access.work(house.nurse, "counted", readonly=True) as work:
        found = await monitoring.alarms(work, limit=1)
    assert [one.priority for one in found] == ["high", "medium", "medium"]


async def test_the_wall_is_html_first(house: House) -> None:
    await house.enter("patient-1", "systolic", 190, diastolic=112)
    await house.enter("patient-2", "heart-rate", 72)
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML) as web:
        page = (await web.get("/wall?rail=1")).text
    for said in ("190/112", "High pressure", "***", "72", "not a primary alarm", "asked: Kim Park", "Oldest not seen"):
        assert said in page, said
    assert page.index('data-patient="patient-1"') < page.index('data-patient="patient-2"')


async def test_a_display_asks_who_acts_and_for_the_pin(house: House) -> None:
    await house.enter("patient-1", "systolic", 190, diastolic=112)
    house.who = house.display
    async with serving(house) as base, httpx.AsyncClient(base_url=base) as web:
        panel = (await web.get("/wall/patient/patient-1")).text
        assert "Your PIN" in panel
        assert "Kim Park" in panel
        alarm = re.search(r'action="/alarms/([\w-]+)/acknowledge"', panel)
        assert alarm is not None
        at = f"/alarms/{alarm[1]}/acknowledge"
        assert (await web.post(at)).status_code == 400
        assert (await web.post(at, data={"person": "kim", "pin": "111222"})).status_code == 403
        assert (await web.post(at, data={"person": "kim", "pin": "135790"})).status_code == 200
        assert "Kim Park" in (await web.get("/wall/patient/patient-1")).text


async def test_help_never_covers_a_shared_wall(house: House) -> None:
    """H157: on one's own wall it opens beside it; on a display there is none."""
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML) as web:
        assert '<a href="/help/nurse/wall" target="_blank">' in (await web.get("/wall")).text
        house.who = house.display
        assert '<a href="/help' not in (await web.get("/wall")).text


async def test_who_is_not_on_duty_sees_no_bed(house: House) -> None:
    house.who = house.nurse.with_(actor=house.nurse.actor.__class__("person", "other", "Other", frozenset({"nurse"})))
    await house.enter("patient-1", "systolic", 190, diastolic=112)
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML) as web:
        assert "Nobody is watched here" in (await web.get("/wall")).text
        assert (await web.get("/wall/patient/patient-1")).status_code == 403
        house.who = house.nurse.with_(actor=house.nurse.actor.__class__("person", "p", "P", frozenset({"pharmacist"})))
        assert (await web.get("/wall")).status_code == 403


async def test_only_places_whose_wall_shows_somebody_are_offered(house: House) -> None:
    async with access.work(house.ctx, "opened a programme") as work:
        await access.add_place(work, "programme", "Home monitoring", "programme")
        await access.place_patient(work, "patient-2", "programme")
        await access.leave_place(work, "patient-2", "ward")
        programme = await access.add_person(
            work, access.NewPerson(name="Wall, programme", roles=frozenset({"display"}), id="other-screen")
        )
        await access.set_duty(work, person=programme.id, place="programme", role="display")
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML) as web:
        # The nurse is on duty in the ward only.
        page = (await web.get("/wall")).text
        assert "data-place" not in page
        assert '<div class="bar-place">Virtual ward</div>' in page
        assert '<option value="programme" selected>' in (await web.get("/wall?place=programme")).text
        house.who = house.display.with_(
            actor=house.display.actor.__class__("person", programme.id, programme.name, frozenset({"display"}))
        )
        page = (await web.get("/wall")).text
        assert '<div class="bar-place">Home monitoring</div>' in page
        assert "Virtual ward" not in page
        async with access.work(house.ctx, "put on duty in both") as work:
            await access.set_duty(work, person=programme.id, place="ward", role="display")
        page = (await web.get("/wall")).text
    assert '<option value="programme">' in page
    assert '<option value="ward">' in page


async def test_whom_no_place_watches_appears_once_there_is_an_alarm(house: House) -> None:
    async with access.work(house.ctx, "moved her") as work:
        await access.leave_place(work, "patient-1", "ward")
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML) as web:
        assert 'data-patient="patient-1"' not in (await web.get("/wall")).text
        async with access.work(house.ctx, "reported") as work:
            await monitoring.report_symptoms(work, "patient-1", ["chest-pain"])
        page = (await web.get("/wall")).text
    assert 'data-patient="patient-1"' in page
    assert "Chest pain" in page


async def test_an_alarm_of_each_kind_says_how_it_looked_back(house: House) -> None:
    today = house.ctx.clock.now().date()
    async with access.work(house.ctx, "enrolled") as ctx:
        await monitoring.set_profile(ctx, "patient-1", programmes=["hypertension", "copd", "diabetes"], reason="test")
        usual = Baseline("respiratory-rate", 14, today, 16, 1, 9, 18)
        await baselines.put(ctx.sql, ctx.tenant, "patient-1", usual)
        now = ctx.clock.now()
        flag = {
            "rule": "irregular-pulse-flag",
            "version": "1",
            "metric": "rr-interval",
            "value": 0.3,
            "comparison": ">",
        }
        flag |= {"limit": 0.1, "source": "Dash", "hazard": "H73", "own": False, "window_hours": None, "inputs": []}
        flag |= {"kind": "rhythm", "beats": 128, "ratio": 0.3, "turning": 0.66, "entropy": 0.9}
        beats = Alarm(uuid7(), "patient-1", uuid7(), "irregular-pulse", "low", "raised", flag, now, now, now)
        await life.begin(ctx, beats)
    for n, systolic in enumerate((150, 151, 152)):
        also = (monitoring.Typed("diastolic", 60), monitoring.Typed("glucose", 200 - 40 * n))
        async with access.work(house.nurse, "recorded") as ctx:
            at = ctx.clock.now() - timedelta(minutes=20 - 5 * n)
            new = monitoring.NewReading("patient-1", "systolic", systolic, at=at, also=also)
            await monitoring.enter_readings(ctx, new)
    async with access.work(house.nurse, "recorded") as ctx:
        await monitoring.enter_readings(ctx, monitoring.NewReading("patient-1", "respiratory-rate", 20.4))
    async with access.work(house.ctx, "looked", readonly=True) as ctx:
        alarms = {one.cause: one.id for one in await monitoring.alarms(ctx, patient="patient-1")}
    said = {
        "blood-pressure-high": "3 of the last 3 readings within 168 h; the rule asks for 3 of 5",
        "glucose-falling": "change ≤ -60 mg/dL within 0.5 h, same device: it was -80 mg/dL",
        "respiratory-rate-off-baseline": "4.4 from the patient&#39;s own usual value of 16 (median of 9 days",
        "irregular-pulse": "not a diagnosis, not an ECG. Over 128 beats",
    }
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML, follow_redirects=True) as web:
        for cause, words in said.items():
            page = await web.get(f"/alarms/{alarms[cause]}")
            assert page.status_code == 200, cause
            assert words in re.sub(r"\s+", " ", page.text), cause


async def test_an_alarm_is_paused_for_a_while_and_every_page_says_until_when(house: House) -> None:
    await house.enter("patient-1", "systolic", 190, diastolic=112)
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML, follow_redirects=True) as web:
        alarm = re.search(r'action="/alarms/([\w-]+)/acknowledge"', (await web.get("/alarms")).text)
        assert alarm is not None
        at = f"/alarms/{alarm[1]}"
        page = (await web.get(at)).text
        assert re.findall(r'<option value="(\d+)"', page) == ["1", "2", "3", "5"]  # of high priority
        assert (await web.post(f"{at}/pause", data={"minutes": "10", "reason": "suction"})).status_code == 400
        assert (await web.post(f"{at}/pause", data={"minutes": "²", "reason": "suction"})).status_code == 400
        paused = (await web.post(f"{at}/pause", data={"minutes": "3", "reason": "suction", "other": ""})).text
        said = re.compile(r"paused until \d{1,2}:\d\d.{0,12}, by Kim Park: suction")
        assert said.search(paused)
        assert "Pause it again" in paused
        listing = (await web.get("/alarms")).text
        assert said.search(listing)
        assert "/acknowledge" not in listing
        wall = (await web.get("/wall?rail=1")).text
        assert said.search(wall)
        assert "tile-held" in wall
        assert 'data-sound=""' in wall
        again = (await web.post(f"{at}/pause", data={"minutes": "1", "reason": "suction", "other": "x-ray"})).text
        assert re.search(r"by Kim Park: x-ray", again)
        back = (await web.post(f"{at}/unpause", data={"back": "/alarms"})).text
        assert "not seen yet" in back
        assert 'data-sound="high"' in (await web.get("/wall")).text
        numbers = (await web.get("/alarms/numbers")).text
    assert re.search(r"data-label=\"Pauses\" class=\"number\"><div>2<", numbers)


async def test_what_waits_is_on_no_page_and_what_passed_is_told_apart(house: House) -> None:
    now = house.ctx.clock.now()

    async def measure(value: float, ago: float) -> None:
        async with access.work(house.ctx, "received readings") as work:
            await judge(work, "patient-1", [reading("spo2", value, now, ago=ago)])

    await measure(92, 9)
    async with access.work(house.ctx, "looked", readonly=True) as work:
        waiting = await work.sql.fetchval("select id from monitoring.alarm where state = 'pending'")
    async with serving(house) as base, httpx.AsyncClient(base_url=base, headers=HTML) as web:
        for path in ("/alarms", "/alarms?all=1", "/wall?rail=1", "/alarms?all=passed"):
            assert waiting not in (await web.get(path)).text, path
        assert "Nobody has been told" in (await web.get(f"/alarms/{waiting}")).text
        await measure(97, 1)
        for path in ("/alarms", "/alarms?all=1", "/wall?rail=1"):
            assert waiting not in (await web.get(path)).text, path
        passed = (await web.get("/alarms?all=passed")).text
        assert f"/alarms/{waiting}" in passed
        assert "over within its delay" in passed
        assert "This alarm is closed" in (await web.get(f"/alarms/{waiting}")).text
        numbers = (await web.get("/alarms/numbers")).text
    assert "No alarms in this time" in numbers
    assert "Passed within the delay" in numbers
