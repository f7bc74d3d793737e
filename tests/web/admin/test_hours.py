"""The administrator's page of monitoring hours."""

from __future__ import annotations

import pytest
from playwright.async_api import Browser, expect
from tests.web.entry.conftest import chromium, site
from tests.web.entry.test_sign_in_pages import add, faults

from bedside import access
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.journey
__all__ = ["chromium", "site"]


async def test_hours_are_set_a_day_at_a_time_and_what_is_wrong_is_said_beside_it(
    ctx: Ctx, site: str, chromium: Browser
) -> None:
    await add(ctx, "administrator", "Pat Morgan")
    async with access.work(ctx, "opened places") as inner:
        await access.add_place(inner, "ward", "Virtual ward", "ward")
        await access.add_place(inner, "corner", "Corner Pharmacy", "pharmacy")
    context = await chromium.new_context(
        bypass_csp=True, java_script_enabled=True, viewport={"width": 360, "height": 740}
    )
    page = await context.new_page()
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Pat Morgan").click()
    await page.get_by_role("link", name="Monitoring hours").click()
    await expect(page.get_by_role("row", name="Virtual ward")).to_contain_text("around the clock")
    assert not await page.get_by_text("Corner Pharmacy").is_visible()
    assert await faults(page) == []
    await page.get_by_role("link", name="Change the hours of Virtual ward").click()
    await page.get_by_label("At these hours").check()
    await page.get_by_role("button", name="Set the hours").click()
    await expect(page.get_by_role("alert")).to_contain_text("at least one day")
    await page.get_by_label("At these hours").check()
    monday = page.get_by_role("group", name="Monday")
    await monday.get_by_label("from, Monday", exact=True).fill("18:00")
    await monday.get_by_label("to, Monday", exact=True).fill("08:00")
    await page.get_by_role("button", name="Set the hours").click()
    await expect(page.get_by_role("alert")).to_contain_text("Monday: This day closes before it opens.")
    await expect(monday).to_contain_text("This day closes before it opens.")
    assert await faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await monday.get_by_label("to, Monday", exact=True).fill("00:00")
    await page.get_by_label("Time zone of these hours").fill("Europe/Nowhere")
    await page.get_by_role("button", name="Set the hours").click()
    await expect(page.get_by_role("alert")).to_contain_text("There is no such time zone.")
    await page.get_by_label("Time zone of these hours").fill("Europe/Madrid")
    await page.get_by_role("button", name="Set the hours").click()
    await expect(page.get_by_role("row", name="Virtual ward")).to_contain_text("Monday 18:00–24:00")
    await expect(page.get_by_role("row", name="Virtual ward")).to_contain_text("Europe/Madrid")
    # What is set stands in the form again; a form that is not in the page's shape is answered, not a crash.
    await page.get_by_role("link", name="Change the hours of Virtual ward").click()
    await expect(page.get_by_label("to, Monday", exact=True)).to_have_value("00:00")
    answer = await page.request.post(
        f"{site}/admin/hours/ward",
        form={"when": "hours", "zone": "UTC", "opens-1-1": "noon", "closes-1-1": "18:00"},
        headers={"origin": site},
    )
    assert answer.status == 400
    assert "A time is written as 08:30." in await answer.text()
    assert (await page.request.get(f"{site}/admin/hours/corner")).status == 404
    await context.close()
