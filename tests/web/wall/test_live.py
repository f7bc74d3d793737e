"""The wall in a browser: it changes without a reload, it says when it has no data, it is worked by keys alone."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from bedside import access, monitoring
from bedside.monitoring.alarms.store import outages
from bedside.web.wall.hub import ALIVE, hub_of
from bedside.web.wall.wall import BEAT

from .conftest import House, chromium, serving

pytestmark = [pytest.mark.journey, pytest.mark.alone]

AXE = Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js"


def tile(page: Page, patient: str) -> Any:
    return page.locator(f'.tile[data-patient="{patient}"]')


async def opened(page: Page, base: str, query: str = "") -> None:
    await page.goto(f"{base}/wall{query}")
    await expect(page.locator("[data-link]")).to_have_text("live")


async def test_a_reading_and_its_alarm_appear_without_reload(house: House) -> None:
    await house.enter("patient-1", "systolic", 124, diastolic=80)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await page.evaluate("window.same = true")
        await expect(tile(page, "patient-1")).to_contain_text("124/80")
        began = time.monotonic()
        await house.enter("patient-1", "systolic", 196, diastolic=124)
        await expect(tile(page, "patient-1")).to_contain_text("196/124")
        await expect(tile(page, "patient-1")).to_contain_text("High pressure")
        print(f"reading to alarm on the wall: {1000 * (time.monotonic() - began):.0f} ms")
        await expect(page.locator("[data-bar-alarms]")).to_contain_text("1 open alarm")
        await expect(page.locator("bedside-wall")).to_have_attribute("data-sounding", "high")
        assert await page.evaluate("window.same") is True
        # Somebody acknowledges elsewhere: it sounds no longer, the tile says who has it.
        async with access.work(house.nurse, "acknowledged") as work:
            (alarm,) = await monitoring.alarms(work, patient="patient-1")
            await monitoring.acknowledge(work, alarm.id)
        await expect(tile(page, "patient-1")).to_contain_text("Kim Park")
        await expect(page.locator("bedside-wall")).to_have_attribute("data-sounding", "")


async def test_a_dead_link_shows_within_five_seconds_and_the_truth_comes_back(house: House) -> None:
    await house.enter("patient-1", "heart-rate", 72)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.clock.install()
        # A proxy that swallows everything once the cable is cut: the connection stands, and nothing comes.
        cut = asyncio.Event()

        def between(route: Any) -> None:
            server = route.connect_to_server()
            server.on_message(lambda message: None if cut.is_set() else route.send(message))

        await page.route_web_socket("**/wall/live*", between)
        await opened(page, base)
        # From here on the page's time goes on as the test says, however busy the machine is. It has heard a beat then:
        # the jump itself was a silence.
        await page.clock.pause_at(house.ctx.clock.now() + timedelta(minutes=5))
        await expect(page.locator("[data-link]")).to_have_text("live")
        cut.set()
        await page.clock.run_for(2000)
        await expect(page.locator("bedside-wall.is-dead")).to_have_count(0)
        await page.clock.run_for(3000)
        await expect(page.locator("bedside-wall.is-dead")).to_be_visible()
        await expect(page.locator("[data-link]")).to_contain_text("no data")
        await expect(tile(page, "patient-1").locator("[data-lost]")).to_contain_text("no data")
        await house.enter("patient-1", "heart-rate", 141)
        cut.clear()
        await page.clock.resume()
        await expect(page.locator("[data-link]")).to_have_text("live")
        await expect(tile(page, "patient-1")).to_contain_text("141")


async def test_a_server_that_cannot_read_the_truth_is_a_dead_link_too(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.enter("patient-1", "heart-rate", 72)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)

        async def gone(*_: object, **__: object) -> None:
            raise OSError("the database is away")

        with monkeypatch.context() as broken:
            broken.setattr(hub_of(house.ctx), "_read", gone)
            # Within five seconds of the last truth: the server says so by its next beat.
            assert ALIVE.total_seconds() + BEAT < 5
            await expect(page.locator("bedside-wall.is-dead")).to_be_visible()
        await expect(page.locator("[data-link]")).to_have_text("live")


async def test_a_restarted_server_is_found_again_and_a_snapshot_replaces_the_old_picture(house: House) -> None:
    await house.enter("patient-1", "heart-rate", 72)
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        async with serving(house) as base:
            await opened(page, base)
        port = int(base.rpartition(":")[2])
        await house.enter("patient-1", "heart-rate", 141)
        async with serving(house, port=port):
            await expect(tile(page, "patient-1")).to_contain_text("141", timeout=20_000)
            await expect(page.locator("[data-link]")).to_have_text("live")


async def test_by_keys_alone_from_the_tile_to_the_acknowledgement(house: House) -> None:
    await house.enter("patient-2", "heart-rate", 141)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await page.keyboard.press("ArrowRight")
        await page.keyboard.press("ArrowRight")
        await expect(tile(page, "patient-2").locator("a")).to_be_focused()
        await page.keyboard.press("a")
        await expect(page.locator(".wall-panel [data-acknowledge]")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".wall-panel")).to_contain_text("acknowledged")
        await page.keyboard.press("Escape")
        await expect(tile(page, "patient-2")).to_contain_text("Kim Park")
        await expect(tile(page, "patient-2").locator("a")).to_be_focused()
        for first in ("patient-2", "patient-1"):
            await page.keyboard.press("s")
            await expect(page.locator(".tile").first).to_have_attribute("data-patient", first)


async def test_readings_that_come_meanwhile_take_nothing_from_under_the_hand(house: House) -> None:
    await house.enter("patient-2", "heart-rate", 141)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await tile(page, "patient-2").locator("a").focus()
        await page.keyboard.press("a")
        panel = page.locator(".wall-panel")
        await panel.get_by_text("History").click()
        await panel.get_by_text("Say what was done").click()
        words = panel.get_by_label("In your words")
        await words.fill("cuff lay on the table")
        button = panel.locator("[data-acknowledge]")
        await button.focus()
        for rate in (143, 145):
            await house.enter("patient-2", "heart-rate", rate)
            await expect(panel).to_contain_text(f"{rate}: ")
        await expect(words).to_have_value("cuff lay on the table")
        await expect(button).to_be_focused()
        await expect(panel.locator("details.fold", has_text="History")).to_have_attribute("open", "")
        # A press that begins on one alarm's button cannot end on another's.
        pressed = await button.element_handle()
        assert pressed is not None
        await house.enter("patient-2", "systolic", 236, diastolic=130)
        await expect(panel.get_by_role("button", name="Acknowledge")).to_have_count(2)
        mine = await pressed.evaluate("button => [button.isConnected, button.closest('section').ariaLabel]")
        assert mine == [True, "Fast heart"]
        await expect(panel.get_by_role("region", name="Fast heart").locator("[data-acknowledge]")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(panel.get_by_role("region", name="Fast heart")).to_contain_text("acknowledged")
        await expect(panel.get_by_role("button", name="Acknowledge")).to_have_count(1)


async def test_what_somebody_else_closed_meanwhile_is_said_and_shown(house: House) -> None:
    await house.enter("patient-1", "systolic", 196, diastolic=124)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await tile(page, "patient-1").get_by_role("link").click()
        button = page.get_by_role("button", name="Acknowledge")
        await expect(button).to_be_visible()
        # What tells the wall is held back, as on a slow network: it still shows the alarm.
        pressed = asyncio.Event()

        async def late(route: Route) -> None:
            await pressed.wait()
            await route.continue_()

        await page.route("**/wall/patient/**", late)
        async with access.work(house.nurse, "closed it") as work:
            (alarm,) = await monitoring.alarms(work, patient="patient-1")
            await monitoring.false_alarm(work, alarm.id, "the cuff sat on the sleeve")
        await button.click()
        pressed.set()
        panel = page.locator(".wall-panel")
        await expect(panel.get_by_role("alert")).to_contain_text("The alarm is a false alarm")
        await expect(panel).to_contain_text("No open alarms")


async def test_what_the_panel_asked_for_before_an_answer_does_not_undo_it_on_the_screen(house: House) -> None:
    await house.enter("patient-1", "heart-rate", 141)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await tile(page, "patient-1").get_by_role("link").click()
        panel = page.locator(".wall-panel")
        button = panel.get_by_role("button", name="Acknowledge")
        await expect(button).to_be_visible()
        # As on a slow network: what was true before the press comes after what is true since.
        asked, let_go, came = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def overtaken(route: Route) -> None:
            if asked.is_set():
                await route.continue_()
                return
            old = await route.fetch()
            asked.set()
            await let_go.wait()
            await route.fulfill(response=old)
            came.set()

        await page.route("**/wall/patient/**", overtaken)
        await house.enter("patient-1", "heart-rate", 143)
        await asyncio.wait_for(asked.wait(), 30)
        await button.click()
        await expect(panel).to_contain_text("acknowledged")
        await expect(button).to_have_count(0)
        await expect(tile(page, "patient-1")).to_contain_text("Kim Park")
        await page.evaluate(
            """() => new MutationObserver(() => {
                window.again ||= document.querySelector('.wall-panel [data-acknowledge]') !== null;
            }).observe(document.querySelector('.wall-panel'), { childList: true, subtree: true })"""
        )
        let_go.set()
        await asyncio.wait_for(came.wait(), 30)
        # What comes after it, by the same way, is shown: so it was looked at.
        await house.enter("patient-1", "heart-rate", 147)
        await expect(panel).to_contain_text("147: ")
        assert await page.evaluate("window.again ?? false") is False


async def test_an_answer_can_be_taken_back_in_the_panel_for_half_a_minute(house: House) -> None:
    await house.enter("patient-1", "systolic", 196, diastolic=124)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await tile(page, "patient-1").get_by_role("link").click()
        await page.get_by_role("button", name="Acknowledge").click()
        await expect(tile(page, "patient-1")).to_contain_text("Kim Park")
        await page.locator(".wall-panel").get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()
        await expect(tile(page, "patient-1")).not_to_contain_text("Kim Park")
        await page.get_by_text("Say what was done").click()
        await page.get_by_label("In your words").fill("the cuff sat on the sleeve")
        await page.get_by_role("button", name="False alarm").click()
        await expect(page.locator(".wall-panel")).to_contain_text("No open alarms")
        await page.locator(".wall-panel").get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("button", name="Acknowledge")).to_be_visible()


async def test_a_reading_taken_back_leaves_the_line(house: House) -> None:
    for rate in (70, 72):
        await house.enter("patient-1", "heart-rate", rate)
    wrong = await house.enter("patient-1", "heart-rate", 99)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        line = tile(page, "patient-1").locator("svg.trace-heart-rate")
        await expect(line).to_have_attribute("aria-label", "Heart rate, last 168 h, from 70 to 99")
        async with access.work(house.nurse, "took it back") as work:
            await monitoring.withdraw(work, wrong.id, "that was not me")
        await expect(line).to_have_attribute("aria-label", "Heart rate, last 168 h, from 70 to 72")
        await expect(tile(page, "patient-1").locator(".figure").first).to_have_text("72")


async def test_sizes_are_those_that_are_read_from_four_metres(house: House) -> None:
    await house.enter("patient-1", "spo2", 84)
    for metric, number in (("heart-rate", 72), ("systolic", 124), ("respiratory-rate", 16)):
        await house.enter("patient-1", metric, number)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        bed = tile(page, "patient-1")
        await expect(bed).to_contain_text("Low oxygen")
        # In one look: a tile that is pushed meanwhile takes the place of the one that was found.
        size = "found => [...document.querySelectorAll(found)].map(one => getComputedStyle(one).fontSize)"
        tile_of = '.tile[data-patient="patient-1"]'
        assert set(await page.evaluate(size, ".tile-name")) == {"18px"}
        assert await page.evaluate(size, f"{tile_of} .tile-big .figure") == ["52px"]
        assert set(await page.evaluate(size, f"{tile_of} dd .figure")) == {"24px"}
        assert await bed.locator(".value").count() == 3
        height = "found => [...document.querySelectorAll(found)].map(one => one.getBoundingClientRect().height)"
        assert set(await page.evaluate(height, f"{tile_of} .line")) == {28}
        assert await page.evaluate(height, ".bar") == [56]
        # All of it lies within the tile, above the frame.
        over = await bed.evaluate(
            """tile => [...tile.querySelectorAll('.value')].filter(
                 one => one.getBoundingClientRect().bottom > tile.getBoundingClientRect().bottom - 4).length"""
        )
        assert over == 0


async def test_the_banner_stands_until_the_sound_was_heard(house: House) -> None:
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await expect(page.locator("[data-banner]")).to_contain_text("Sound is not allowed yet")
        await page.get_by_role("button", name="Test the sound").click()
        await expect(page.locator("[data-banner]")).not_to_contain_text("Sound is not allowed yet")
        await page.keyboard.press("m")
        await expect(page.locator('[data-do="sound"]')).to_contain_text("silent until")


async def test_a_value_goes_stale_while_one_looks(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = timedelta(hours=12)  # of a typed heart rate
    later = timedelta(minutes=31)
    async with access.work(house.nurse, "entered a reading") as work:
        at = work.clock.now() - fresh + timedelta(minutes=30)
        await monitoring.enter_reading(work, monitoring.NewReading("patient-1", "heart-rate", 72, at=at))
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        value = tile(page, "patient-1").locator(".value").first
        await expect(value).to_have_class("value")
        # The time is the server's, told with every beat: of the workstation's own clock nothing depends.
        monkeypatch.setattr(hub_of(house.ctx), "now", lambda: house.ctx.clock.now() + later)
        await expect(value).to_have_class("value is-stale")


async def test_a_workstation_whose_clock_is_wrong_shows_no_value_as_stale(house: House) -> None:
    await house.enter("patient-1", "heart-rate", 72)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.clock.install(time=house.ctx.clock.now() + timedelta(days=1))
        await opened(page, base)
        value = tile(page, "patient-1").locator(".value").first
        await expect(value).to_have_class("value")
        await expect(tile(page, "patient-1").locator("[data-at]").first).to_have_text(re.compile(r"^\d\d? s$"))


async def test_axe_finds_nothing_and_nothing_runs_over(house: House) -> None:
    await house.enter("patient-1", "systolic", 196, diastolic=124)
    await house.enter("patient-2", "heart-rate", 72)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(bypass_csp=True)
        async with access.work(house.nurse, "looked", readonly=True) as work:
            (alarm,) = await monitoring.alarms(work, patient="patient-1")
        for address in ("/wall?rail=1", "/alarms", f"/alarms/{alarm.id}"):
            await page.goto(base + address)
            await page.evaluate(AXE.read_text())
            for width, height in ((1920, 1080), (1440, 900), (360, 800)):
                await page.set_viewport_size({"width": width, "height": height})
                tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
                result = await page.evaluate("tags => axe.run({runOnly: tags})", tags)
                found = [f"{v['id']}: {n['target']}" for v in result["violations"] for n in v["nodes"]]
                assert found == [], (address, width)
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, width)


async def test_a_wall_is_audited_when_opened_and_when_closed(house: House) -> None:
    async def recorded(action: str) -> None:
        until = time.monotonic() + 30
        while True:
            async with access.work(house.ctx, "looked", readonly=True) as work:
                lines = {line.action for line in await access.who_looked(work, "patient-1")}
            if action in lines:
                return
            assert time.monotonic() < until, lines
            await asyncio.sleep(0.1)

    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page()
        await opened(page, base)
        # The page calls itself live as it was sent; its link is begun after that.
        await recorded("opened the wall")
        await page.close()
        await recorded("closed the wall")


async def test_whom_no_wall_shows_appears_with_the_alarm(house: House) -> None:
    async with access.work(house.ctx, "moved her") as work:
        await access.leave_place(work, "patient-1", "ward")
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        await expect(tile(page, "patient-1")).to_have_count(0)
        async with access.work(house.ctx, "reported") as work:
            await monitoring.report_symptoms(work, "patient-1", ["chest-pain"])
        await expect(tile(page, "patient-1")).to_contain_text("Symptoms")


async def test_a_wall_that_is_full_says_so_and_shows_whoever_has_an_alarm(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bedside.web.wall.wall.MOST_TILES", 1)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        line = page.get_by_text("without a place on this wall: 1")
        await expect(line).to_be_visible()
        await expect(tile(page, "patient-1")).to_be_visible()
        await expect(tile(page, "patient-2")).to_have_count(0)
        async with access.work(house.ctx, "reported") as work:
            await monitoring.report_symptoms(work, "patient-2", ["chest-pain"])
        await expect(tile(page, "patient-2")).to_contain_text("Symptoms")
        await expect(tile(page, "patient-1")).to_have_count(0)
        await expect(line).to_be_visible()
        monkeypatch.setattr("bedside.web.wall.wall.MOST_TILES", 2)
        await page.reload()
        await expect(tile(page, "patient-1")).to_be_visible()
        await expect(line).to_be_hidden()


async def test_what_one_cause_has_silenced_is_said_until_it_is_over(house: House) -> None:
    await house.enter("patient-1", "heart-rate", 72)
    async with serving(house) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await opened(page, base)
        line = page.locator("[data-outage]")
        await expect(line).to_be_hidden()
        async with house.ctx.database.transaction() as sql:
            now = house.ctx.clock.now()
            for device in ("m1", "m2", "m3"):
                await outages.join(sql, 1, "place", "ward", now, now, device, "patient-1")
        await expect(line).to_contain_text("Virtual ward: 3 devices fell silent together. Look after the patients")
        async with house.ctx.database.transaction() as sql:
            (one,) = await outages.running(sql, 1)
            await outages.end(sql, one.id, now)
        await expect(line).to_be_hidden()
