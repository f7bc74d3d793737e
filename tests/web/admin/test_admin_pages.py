"""The administrator's people and the privacy officer's audit."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Browser, expect
from tests.web.entry.conftest import chromium, delivered, site
from tests.web.entry.test_sign_in_pages import Deliver, add, faults

from bedside import access
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.journey
__all__ = ["chromium", "delivered", "site"]


async def test_an_administrator_adds_invites_and_ends(
    ctx: Ctx, site: str, chromium: Browser, delivered: Deliver
) -> None:
    await add(ctx, "administrator", "Pat Morgan", email="pat@clinic.example")
    await add(ctx, "patient", "Rosa Álvarez", patient="rosa")
    context = await chromium.new_context(bypass_csp=True)
    page = await context.new_page()
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Pat Morgan").click()
    await page.wait_for_url("**/admin")
    assert not await page.get_by_text("Rosa").is_visible()
    assert await faults(page) == []
    await page.get_by_label("Name").fill("Tom Berg")
    await page.get_by_label("E-mail").fill("tom@clinic.example")
    await page.get_by_label("Role").select_option("nurse")
    await context.set_offline(True)
    await page.get_by_role("button", name="Add and invite").click()
    await page.get_by_text("Nothing was sent.").wait_for()
    await context.set_offline(False)
    await page.get_by_text("Nothing was sent.").wait_for(state="hidden")
    await page.get_by_role("button", name="Add and invite").dblclick()
    await page.get_by_text("Added, and the invitation is on its way").wait_for()
    assert await page.get_by_text("/enter/").is_visible(), "its link is shown, this once"
    assert await faults(page) == []
    await delivered()
    await page.goto(f"{site}/demo/outbox")
    link = await page.locator("a[href*='/enter/']").get_attribute("href")
    # A browser on a machine without a network calls itself offline, and reaches a server on that machine.
    await page.goto(f"{site}/admin")
    await page.evaluate("Object.defineProperty(navigator, 'onLine', { get: () => false })")
    await page.get_by_label("Name").fill("Ana Gil")
    await page.get_by_label("E-mail").fill("ana@clinic.example")
    await page.get_by_label("Role").select_option("nurse")
    await page.get_by_role("button", name="Add and invite").click()
    await page.get_by_text("Added, and the invitation is on its way").wait_for()
    guest = await chromium.new_page()
    await guest.goto(str(link))
    await guest.get_by_label("New password").fill("four quiet paper boats")
    await guest.get_by_label("The same again").fill("four quiet paper boats")
    await guest.get_by_role("button", name="Save and go on").click()
    await expect(guest.get_by_role("heading", name="Second step")).to_be_visible()
    await page.goto(f"{site}/admin")
    await page.get_by_role("link", name="End account, Tom Berg").click()
    assert await faults(page) == []
    await page.get_by_role("button", name="End the account").click()
    await page.get_by_text("The account is ended, everywhere").wait_for()
    assert not await page.get_by_role("rowheader", name="Tom Berg").is_visible()
    await context.close()


async def test_the_privacy_officer_reads_the_audit_and_nobody_else(ctx: Ctx, site: str, chromium: Browser) -> None:
    await add(ctx, "privacy-officer", "Inês Costa")
    others = [await add(ctx, role, f"Test {role}") for role in ("administrator", "clinician")]
    async with access.work(ctx, "opened the chart", readonly=True) as inner:
        await access.authorise(inner, "ann", "R", what="Condition")
    context = await chromium.new_context(bypass_csp=True, viewport={"width": 320, "height": 640})
    page = await context.new_page()
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Inês Costa").click()
    await page.wait_for_url("**/admin/audit")
    await expect(page.get_by_role("cell", name="opened the chart")).to_be_visible()
    assert await faults(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.get_by_role("link", name="ann").first.click()
    await expect(page.get_by_role("cell", name="opened the chart")).to_be_visible()
    await context.close()
    async with httpx.AsyncClient(base_url=site) as client:
        for person in others:
            await client.post("/sign-in/demo", data={"person": person.id})
            assert (await client.get("/admin/audit")).status_code == 403
    async with httpx.AsyncClient(base_url=site) as client:
        await client.post("/sign-in/demo", data={"person": others[1].id})
        assert (await client.get("/admin")).status_code == 403
        assert (await client.post(f"/admin/people/{others[0].id}/invite", data={"reset": "1"})).status_code == 403


async def test_a_screen_becomes_a_wall(ctx: Ctx, site: str, chromium: Browser) -> None:
    nurse = await add(ctx, "nurse", "Amina Haddad")
    async with access.work(ctx, "planned") as inner:
        await access.add_place(inner, "icu", "Virtual ward", "ward")
        await access.set_duty(inner, person=nurse.id, place="icu", role="nurse")
    page = await chromium.new_page()
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Amina Haddad").click()
    await page.goto(f"{site}/account")
    await page.get_by_role("button", name="Make it a wall").click()
    await page.wait_for_url("**/wall")
    state = await page.evaluate("fetch('/session').then((answer) => answer.json())")
    async with ctx.database.connection() as sql:
        open_ = await sql.fetch("select kind, idle from access.session where ended is null")
    assert [tuple(row) for row in open_] == [("display", None)], "the nurse is signed out of it"
    assert (state["signed_in"], state["fixed"]) == (True, True)
    await page.close()
