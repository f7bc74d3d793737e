"""Measuring with a Bluetooth device: real page, server and bytes, and a device that the test plays (bluetooth.js)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect
from tests.journeys.axe import RULES, looked_at
from tests.journeys.visiting import sign_in
from tools.clinic import SEED

from bedside.demo import histories
from bedside.demo.histories import STORY, Patient

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]

DEVICE = Path(__file__).with_name("bluetooth.js")
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 780}, "timezone_id": "America/New_York"}
CUFF, OXIMETER, METER = 0x2A35, 0x2A5F, 0x2A18
KEPT = """() => new Promise(done => {
    const asked = indexedDB.open('bedside-readings', 1);
    asked.onsuccess = () => {
        const all = asked.result.transaction('readings').objectStore('readings').getAll();
        all.onsuccess = () => { asked.result.close(); done(all.result.length); };
    };
})"""
QUESTION = "Is this yours, now?"


def people() -> list[Patient]:
    """Seeded adults who read English and are not the demo's own story."""
    drawn = histories.draw(SEED, 40, date.today())  # noqa: DTZ011 - as the seeding counts ages
    return [one for one in drawn if one.language == "en" and one.key != STORY]


def word(number: int) -> str:
    """Little-endian, 16 bits, in hex."""
    return number.to_bytes(2, "little").hex()


def clock(when: datetime) -> str:
    """A device's date and time, as the person here set it."""
    return word(when.year) + bytes([when.month, when.day, when.hour, when.minute, when.second]).hex()


def pressure(high: int, low: int, pulse: int, when: datetime) -> str:
    """A cuff's packet with time and pulse."""
    return "06" + word(high) + word(low) + word(0x07FF) + clock(when) + word(pulse)


def there(page: Page) -> datetime:
    """What a clock on the wall says where this browser is."""
    shown = page.evaluate("(() => { const d = new Date(); return d.getTime() - d.getTimezoneOffset() * 60000 })()")
    return datetime(1970, 1, 1) + timedelta(milliseconds=shown)  # noqa: DTZ001 - a device knows no zone


def measure(page: Page, kind: str, characteristic: int, **fake: Any) -> None:
    """Open the page and connect the device."""
    page.goto(f"/readings/measure/{kind}")
    page.evaluate("what => Object.assign(window.fake, what)", fake)
    page.get_by_role("button", name="Look for the device").click()
    page.wait_for_function("number => window.listens(number)", arg=characteristic)


def tell(page: Page, characteristic: int, hexed: str) -> None:
    page.evaluate("([number, hexed]) => window.tell(number, hexed)", [characteristic, hexed])


def said_by(page: Page) -> Locator:
    """The line that says where the measuring stands."""
    return page.locator("measure-device").get_by_role("status")


def phone(visitor: Callable[..., Page], who: Patient, *, workers: str = "block") -> Page:
    """A phone of this person with the device near by. workers: "allow" lets the browser send with no page open; else a
    test sees what the page does.
    """
    page = visitor(**PHONE, service_workers=workers)
    page.context.add_init_script(path=DEVICE)
    sign_in(page, who.name)
    return page


def by_and_by(true: Callable[[], bool], page: Page, what: str) -> None:
    """Wait until it is so; what: what is the matter where it does not become so."""
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until, what
        page.wait_for_timeout(100)


def ready(page: Page) -> None:
    """Wait until the worker that sends with no page open could be woken."""
    active = "async () => (await navigator.serviceWorker.getRegistrations()).some(one => one.active)"
    by_and_by(lambda: bool(page.evaluate(active)), page, "there is no worker")


def emptied(page: Page) -> None:
    """Wait until nothing is kept any more. (wait_for_function takes a promise for the truth, whatever it becomes.)"""
    by_and_by(lambda: page.evaluate(KEPT) == 0, page, "something is still kept")


def shown(page: Page, text: str) -> int:
    """In how many cells of the person's readings it stands, as a whole: 26 minutes past and 57 beside it are no 265."""
    page.goto("/readings?span=day")
    return page.locator("td").filter(has_text=re.compile(rf"^\s*{text}\s*$")).count()


def test_axe_finds_nothing_on_what_the_page_shows_once_it_has_a_number(visitor: Callable[..., Page]) -> None:
    page = visitor(**PHONE, bypass_csp=True, reduced_motion="reduce")
    page.context.add_init_script(path=DEVICE)
    sign_in(page, people()[0].name)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        measure(page, "blood-pressure", CUFF)
        for days in (3, 4):
            tell(page, CUFF, pressure(141, 91, 70, there(page) - timedelta(days=days)))
        page.get_by_text("Older readings in the device (1)").click()
        page.set_viewport_size({"width": 360, "height": 3000})
        assert [one["id"] for one in looked_at(page, RULES)] == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.context.set_offline(True)
        page.get_by_role("button", name="It is from then").click()
        expect(page.get_by_text("kept on this phone or computer").first).to_be_visible()
        assert page.evaluate(f"async () => (await axe.run(document, {RULES})).violations.map(one => one.id)") == []
        page.context.set_offline(False)
        expect(page.locator("readings-waiting")).to_be_hidden()


def test_a_cuff_with_its_pulse_by_keyboard_to_what_it_means(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[1])
    page.goto("/home")
    page.get_by_role("link", name="Measure with a device").click()
    page.get_by_role("link", name="Blood pressure").press("Enter")
    page.get_by_role("button", name="Look for the device").press("Enter")
    expect(said_by(page)).to_contain_text("Connected to BP7250 3F2A")
    assert page.evaluate("window.fake.asked") == [{"filters": [{"services": [0x1810]}], "optionalServices": [0x180F]}]
    tell(page, CUFF, pressure(127, 81, 68, there(page)))
    # A cuff goes as soon as it has sent.
    page.evaluate("window.vanish()")
    question = page.get_by_role("heading", name=QUESTION)
    expect(question).to_be_focused()
    found = page.get_by_role("region", name=QUESTION)
    expect(found).to_contain_text("127/81 mmHg")
    expect(found).to_contain_text("Pulse 68 /min")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Yes, send it")).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/readings/sent/p\."))
    expect(page.get_by_role("main")).to_contain_text("127/81")
    expect(page.get_by_role("main")).to_contain_text("from the device")
    assert page.evaluate(KEPT) == 0


def test_the_button_is_there_when_it_can_do_something(visitor: Callable[..., Page]) -> None:
    """On a weak network the script comes long after the page: pressed before, the button would do nothing."""
    page = phone(visitor, people()[1])
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.context.route(re.compile(r"/measure[^/]*\.js$"), hold)
    page.goto("/readings/measure/blood-pressure", wait_until="commit")
    expect(page.get_by_role("link", name="Type it instead")).to_be_visible()
    look = page.get_by_role("button", name="Look for the device")
    expect(look).to_have_count(0)
    assert held
    held[0].continue_()
    look.press("Enter")
    page.wait_for_function("number => window.listens(number)", arg=CUFF)


def test_a_low_battery_is_said_and_kept_beside_the_number(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[1])
    measure(page, "thermometer", 0x2A1C, name="Thermo", battery=15)
    tell(page, 0x2A1C, "02" + "6e0100ff" + clock(there(page)))
    found = page.get_by_role("region", name=QUESTION)
    expect(found).to_contain_text("36.6 °C")
    expect(found).to_contain_text("The battery of the device is at 15 %")
    expect(found).not_to_contain_text("Battery level")
    with page.expect_request("**/readings/measured") as sent:
        page.get_by_role("button", name="Yes, send it").click()
    assert [one["metric"] for one in sent.value.post_data_json["values"]] == ["temperature", "battery"]
    page.wait_for_url(re.compile("/readings/sent/"))
    expect(page.get_by_role("main")).to_contain_text("97.9")


def test_kilopascals_are_shown_as_the_cuff_shows_them_and_charted_in_mmhg(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[1])
    measure(page, "blood-pressure", CUFF, name="kPa cuff")
    tell(page, CUFF, "01" + word(0xF0AF) + word(0xF070) + word(0x07FF))
    expect(page.get_by_role("region", name=QUESTION)).to_contain_text("17.5/11.2 kPa")
    page.get_by_role("button", name="Yes, send it").click()
    page.wait_for_url(re.compile("/readings/sent/"))
    expect(page.get_by_role("main")).to_contain_text("131/84")


def test_what_is_no_number_is_said_and_cannot_be_sent(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[1])
    measure(page, "blood-pressure", CUFF)
    for packet, said in (
        ("00" + word(0x07FF) + word(0x07FF) + word(0x07FF), "could not measure"),
        ("00" + word(132), "cut off"),
    ):
        tell(page, CUFF, packet)
        expect(said_by(page)).to_contain_text(said)
        expect(page.get_by_role("heading", name=QUESTION)).to_be_hidden()
    # It goes without another word: what it said last stands, and not that the connection broke.
    page.evaluate("window.vanish()")
    expect(said_by(page)).to_contain_text("cut off")
    measure(page, "pulse-oximeter", OXIMETER)
    tell(page, OXIMETER, "04" + word(97) + word(72) + word(1 << 10))
    expect(said_by(page)).to_contain_text("demonstration")
    tell(page, OXIMETER, "00" + word(97) + word(72))
    tell(page, OXIMETER, "00" + word(95) + word(74))
    expect(page.get_by_role("region", name=QUESTION)).to_contain_text("95 %")
    expect(page.get_by_role("button", name="Yes, send it")).to_be_hidden()
    page.get_by_role("button", name="Take this number").click()
    expect(page.get_by_role("region", name=QUESTION)).to_contain_text("95 %")
    page.get_by_role("button", name="No, throw it away").click()
    expect(said_by(page)).to_contain_text("Nothing was sent")
    assert page.evaluate(KEPT) == 0


def test_each_way_it_can_fail_is_said_with_what_to_do(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[1])
    look = page.get_by_role("button", name="Look for the device")
    status = said_by(page)
    page.goto("/readings/measure/blood-pressure")
    for fake, said in (
        ({"off": True}, "Bluetooth is off"),
        ({"choose": "NotFoundError"}, "No device was chosen"),
        ({"choose": "SecurityError"}, "not allowed for this page"),
        ({"connect": "NetworkError"}, "did not answer"),
        ({"subscribe": "NotSupportedError"}, "did not let us in"),
        ({"has": [0x2A37]}, "does not send that kind of reading"),
    ):
        nothing = {"off": False, "choose": None, "connect": None, "subscribe": None, "has": None}
        page.evaluate("what => Object.assign(window.fake, what)", {**nothing, **fake})
        look.click()
        expect(status).to_contain_text(said)
        expect(look).to_be_visible()
    page.evaluate("window.fake.has = null")
    look.click()
    page.wait_for_function("number => window.listens(number)", arg=CUFF)
    page.evaluate("window.vanish()")
    expect(status).to_contain_text("connection broke before a number came")


def test_without_bluetooth_the_page_leads_to_typing(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[1])
    page.context.add_init_script("delete Navigator.prototype.bluetooth")
    page.goto("/readings/measure/blood-pressure")
    expect(page.get_by_text("This browser cannot reach Bluetooth devices")).to_be_visible()
    expect(page.get_by_role("button", name="Look for the device")).to_be_hidden()
    page.get_by_role("link", name="Type the number").click()
    expect(page.get_by_label("Upper number")).to_be_visible()


def test_a_clock_that_is_wrong_and_old_readings_are_asked_about(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[2])
    measure(page, "blood-pressure", CUFF)
    old = there(page) - timedelta(days=3)
    tell(page, CUFF, pressure(141, 91, 70, old))
    tell(page, CUFF, pressure(119, 77, 70, old - timedelta(days=1)))
    found = page.get_by_role("region", name=QUESTION)
    expect(found).to_contain_text("141/91")
    expect(found).to_contain_text("may be an older reading")
    expect(page.get_by_role("button", name="Yes, send it")).to_be_hidden()
    page.get_by_text("Older readings in the device (1)").click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="It is from then").click()
    page.wait_for_url(re.compile("/readings/sent/"))
    page.goto("/readings?span=week")
    for text in ("141", "119"):
        assert page.locator("tr").filter(has_text=text).count() >= 1
    measure(page, "blood-pressure", CUFF)
    tell(page, CUFF, pressure(123, 79, 70, there(page) + timedelta(days=400)))
    expect(found).to_contain_text("later than now, so it is wrong")
    expect(page.get_by_role("button", name="It is from then")).to_be_hidden()
    page.get_by_role("button", name="I measured it just now").click()
    page.wait_for_url(re.compile("/readings/sent/"))
    expect(page.get_by_role("main")).to_contain_text("123/79")


def test_a_glucose_meter_is_asked_for_its_last_result_and_then_for_all(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[2])
    measure(page, "glucose-meter", METER)
    page.wait_for_function("window.fake.written.length === 1")
    page.get_by_role("button", name="Also ask for older results").click()
    page.wait_for_function("window.fake.written.length === 2")
    assert page.evaluate("window.fake.written") == [[1, 6], [1, 1]]
    now = there(page)
    tell(page, 0x2A52, "06000106")
    expect(said_by(page)).to_contain_text("holds no results")
    measure(page, "glucose-meter", METER)
    tell(page, METER, "02" + word(1) + clock(now - timedelta(hours=5)) + word(0xB078) + "1a")
    expect(said_by(page)).to_contain_text("control solution")
    tell(page, METER, "02" + word(2) + clock(now) + word(0xB06A) + "11")
    expect(page.get_by_role("region", name=QUESTION)).to_contain_text("106 mg/dL")
    page.get_by_role("button", name="Yes, send it").click()
    page.wait_for_url(re.compile("/readings/sent/"))
    expect(page.get_by_role("main")).to_contain_text("106")


def test_an_unusual_number_is_asked_about_once_more(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[2])
    measure(page, "blood-pressure", CUFF)
    tell(page, CUFF, pressure(265, 112, 70, there(page)))
    page.get_by_role("button", name="Yes, send it").click()
    expect(said_by(page)).to_contain_text("That is unusual. Is it right?")
    assert page.locator("readings-waiting").is_hidden()
    page.get_by_role("button", name="No, throw it away").click()
    assert page.evaluate(KEPT) == 0
    assert shown(page, "265") == 0


def test_signed_out_meanwhile_it_is_kept_and_sent_after_signing_in_again(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[5])
    measure(page, "blood-pressure", CUFF)
    tell(page, CUFF, pressure(203, 87, 70, there(page)))
    page.context.clear_cookies()
    page.get_by_role("button", name="Yes, send it").click()
    expect(said_by(page)).to_contain_text("You were signed out")
    assert page.evaluate(KEPT) == 1
    sign_in(page, people()[5].name)
    page.goto("/home")
    emptied(page)
    assert shown(page, "203") == 1


def lost(page: Page) -> list[Route]:
    """The first reading reaches the server, and its answer never comes back; while it is awaited, the network is back
    once more. Which that was.
    """
    first: list[Route] = []

    def answer(route: Route) -> None:
        if first:
            route.continue_()
            return
        first.append(route)
        route.fetch()
        page.evaluate("dispatchEvent(new Event('online'))")
        route.abort()

    page.context.route("**/readings/measured", answer)
    return first


def test_offline_it_is_kept_and_sent_once_when_the_network_is_back(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[3])
    measure(page, "blood-pressure", CUFF)
    page.context.set_offline(True)
    for high in (197, 199):
        tell(page, CUFF, pressure(high, 86, 70, there(page)))
        page.get_by_role("button", name="Yes, send it").click()
        expect(said_by(page)).to_contain_text("kept on this phone or computer, not sent yet")
        if high == 197:
            expect(page.get_by_text("1 reading is kept on this phone")).to_be_visible()
            page.wait_for_timeout(1100)  # the clock of a cuff has seconds
            page.get_by_role("button", name="Look for the device").click()
            page.wait_for_function("number => window.listens(number)", arg=CUFF)
    expect(page.get_by_text("2 readings are kept on this phone")).to_be_visible()
    # The network is back, but the first answer is lost on its way: it is sent again, and held once.
    first = lost(page)
    page.context.set_offline(False)
    # Not after half a minute: what came while it was sending is not forgotten.
    expect(page.locator("readings-waiting")).to_be_hidden()
    assert first
    assert page.evaluate(KEPT) == 0
    assert shown(page, "197") == 1
    assert shown(page, "199") == 1


def test_with_no_page_open_the_browser_sends_when_the_network_is_back(visitor: Callable[..., Page]) -> None:
    page = phone(visitor, people()[6], workers="allow")
    measure(page, "blood-pressure", CUFF)
    ready(page)
    refused: list[Route] = []

    def refuse(route: Route) -> None:
        refused.append(route)
        route.abort("internetdisconnected")

    page.context.route("**/readings/measured", refuse)
    tell(page, CUFF, pressure(207, 88, 70, there(page)))
    page.get_by_role("button", name="Yes, send it").click()
    expect(page.get_by_text("as soon as the internet is back. You may close this page.")).to_be_visible()
    # Another page of the same origin, without a script of ours, holds the wire to the browser.
    bare = page.context.new_page()
    bare.goto("/healthz")
    page.close()
    (worker,) = page.context.service_workers
    woke = "the browser never woke the worker"
    by_and_by(lambda: any(route.request.service_worker == worker for route in refused), bare, woke)
    assert bare.evaluate(KEPT) == 1
    page.context.unroute("**/readings/measured", refuse)
    browser = page.context.new_cdp_session(bare)
    known: list[dict[str, Any]] = []
    browser.on("ServiceWorker.workerRegistrationUpdated", lambda told: known.extend(told["registrations"]))
    browser.send("ServiceWorker.enable")
    by_and_by(lambda: bool(known), bare, "the browser tells of no worker")
    woken = {"registrationId": known[0]["registrationId"], "tag": "readings", "lastChance": False}
    browser.send("ServiceWorker.dispatchSyncEvent", {"origin": bare.evaluate("location.origin"), **woken})
    emptied(bare)
    assert shown(bare, "207") == 1


def test_a_tab_closed_offline_sends_when_it_is_opened_again_and_never_for_another(
    visitor: Callable[..., Page],
) -> None:
    mine, other = people()[0], people()[5]  # [4] is the patient of the journey, who has no alarm before it
    page = phone(visitor, mine)
    measure(page, "blood-pressure", CUFF)
    page.context.set_offline(True)
    tell(page, CUFF, pressure(201, 87, 70, there(page)))
    page.get_by_role("button", name="Yes, send it").click()
    expect(page.get_by_text("1 reading is kept on this phone")).to_be_visible()
    page.close()
    # Somebody else signs in on this phone: nothing of it is seen or sent.
    theirs = page.context.new_page()
    page.context.set_offline(False)
    page.context.clear_cookies()
    sign_in(theirs, other.name)
    theirs.goto("/home")
    theirs.wait_for_load_state("networkidle")
    expect(theirs.locator("readings-waiting")).to_be_hidden()
    assert theirs.evaluate(KEPT) == 1
    assert shown(theirs, "201") == 0
    page.context.clear_cookies()
    again = page.context.new_page()
    sign_in(again, mine.name)
    again.goto("/home")
    expect(again.locator("readings-waiting")).to_be_hidden()
    emptied(again)
    assert shown(again, "201") == 1
