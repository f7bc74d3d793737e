"""A chart that stays open: what it says of age and score stays true without a reload."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from tests.journeys.pages import NURSE

pytestmark = pytest.mark.journey


def test_a_score_and_values_that_grow_too_old_while_the_chart_is_open_say_so(visitor: Callable[..., Page]) -> None:
    nurse = visitor(NURSE, viewport={"width": 1920, "height": 1080})
    nurse.goto("/wall?place=virtual-ward")
    tile = nurse.locator("[data-patient]", has=nurse.locator(".news:not(.news-none)")).first
    # The monitors' slower signs come within their first minute.
    tile.wait_for(timeout=90_000)
    patient = tile.get_attribute("data-patient")
    # The clock of this desk is a day slow: what counts is the server's.
    nurse.clock.install(time=datetime.now(UTC) - timedelta(days=1))
    nurse.goto(f"/patients/{patient}")
    strip = nurse.locator("aging-values")
    score, pulse = strip.locator("[data-until]"), strip.locator(".reading", has_text="Heart rate")
    expect(score).to_be_visible()
    expect(strip.get_by_text("an input has grown too old")).to_be_hidden()
    # Some inputs are minutes old already: the score lasts as long as the oldest of them.
    until, now = (
        datetime.fromisoformat(found or "")
        for found in (score.get_attribute("data-until"), strip.get_attribute("data-now"))
    )
    left = int((until - now).total_seconds())
    assert 60 < left <= 3600
    nurse.clock.fast_forward((left - 30) * 1000)
    expect(score).to_be_visible()
    nurse.clock.fast_forward(60_000)
    expect(score).to_be_hidden()
    expect(strip.get_by_text("an input has grown too old")).to_be_visible()
    nurse.clock.fast_forward((3700 - left - 30) * 1000)
    expect(pulse).to_contain_text("old: 1 h ago")
    expect(pulse).to_have_class("reading reading-stale")
    for more, said in (("30:00:00", "31 h ago"), ("42:00:00", "3 days ago")):
        nurse.clock.fast_forward(more)
        expect(pulse).to_contain_text(f"old: {said}")


@pytest.mark.parametrize("width", [360, 1440])
def test_what_the_patient_s_state_is_stands_before_what_can_be_done(
    visitor: Callable[..., Page], scene: dict[str, str], width: int
) -> None:
    nurse = visitor(NURSE, viewport={"width": width, "height": 800})
    nurse.goto(f"/patients/{scene['patient']}")
    deeds = nurse.get_by_role("navigation", name="What can be done")
    order = (
        nurse.get_by_role("region", name="Patient: "),
        nurse.get_by_role("heading", name="Open alarms"),
        nurse.get_by_role("region", name="Latest values"),
        deeds,
    )
    boxes = [one.bounding_box() for one in order]
    tops = [box["y"] for box in boxes if box is not None]
    assert len(tops) == 4
    assert tops == sorted(tops)
    assert tops[2] < 800, "an alarm and the first of the values are seen without scrolling"
    expect(deeds.locator("a.btn:visible")).to_have_text(["Invite to video", "Messages", "Type a reading"])
    more = deeds.locator("summary", has_text="More")
    expect(deeds.get_by_role("button", name="Print")).to_be_hidden()
    more.focus()
    nurse.keyboard.press("Enter")
    nurse.keyboard.press("Tab")
    expect(deeds.get_by_role("link", name="Limits")).to_be_focused()
    expect(deeds.get_by_role("button", name="Print")).to_be_visible()
    seldom = ["Limits", "Targets", "Overlay", "Waveforms", "Devices", "Sign-in", "Details", "Care"]
    shown = deeds.locator("details a.btn:visible")
    expect(shown).to_have_text(seldom)
    for link in shown.all():
        assert nurse.context.request.get(link.get_attribute("href") or "").ok


def test_an_alarm_is_answered_on_a_telephone_without_scrolling(
    visitor: Callable[..., Page], scene: dict[str, str]
) -> None:
    nurse = visitor(NURSE, viewport={"width": 360, "height": 780})
    nurse.goto(f"/alarms/{scene['alarm']}")
    answers = nurse.locator(".card", has=nurse.get_by_role("heading", name="Answer", exact=True))
    first = answers.locator(".btn").first.bounding_box()
    assert first is not None
    assert first["y"] + first["height"] < 780
