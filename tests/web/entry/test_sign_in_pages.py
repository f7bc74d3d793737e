"""The sign-in pages, with scripts and without: every way in, no dead end, no telling who has an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from bedside import access
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx

from .conftest import authenticator

pytestmark = pytest.mark.journey
PASSWORD = "four quiet paper boats"
AXE = Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js"
Deliver = Callable[[], Awaitable[None]]


async def add(ctx: Ctx, role: str, name: str, **more: Any) -> access.Person:
    async with access.work(ctx, "added somebody") as inner:
        return await access.add_person(inner, access.NewPerson(name=name, roles=frozenset({role}), **more))


async def faults(page: Page) -> list[str]:
    await page.evaluate(AXE.read_text())
    result = await page.evaluate("axe.run({runOnly: ['wcag2a','wcag2aa','wcag21aa','wcag22aa','best-practice']})")
    return [f"{v['id']}: {n['target']}" for v in result["violations"] for n in v["nodes"]]


async def test_a_passkey_is_added_and_opens_the_door_and_confirms(ctx: Ctx, site: str, chromium: Browser) -> None:
    elena = await add(ctx, "clinician", "Elena Ruiz", email="elena@clinic.example", password=PASSWORD)
    context = await chromium.new_context()
    page = await context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda m: said.append(m.text) if "Content Security Policy" in m.text else None)
    await authenticator(context, page)
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Elena Ruiz").click()
    await page.goto(f"{site}/account")
    await page.get_by_label("Name of this device").fill("My phone")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_text("My phone").wait_for()
    await page.get_by_role("button", name="Sign out", exact=True).first.click()
    await page.wait_for_url("**/sign-in")

    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url("**/account")
    assert await page.get_by_role("heading", name="Elena Ruiz").is_visible()

    # a step-up by the same passkey: emergency access
    await page.goto(f"{site}/emergency/ann")
    await page.get_by_label("Why you need this record now").fill("unconscious in the waiting room")
    await page.get_by_role("button", name="Use a passkey instead").click()
    await page.wait_for_url("**/patients/ann")
    async with ctx.database.connection() as sql:
        row = await sql.fetchrow("select action, patients, reason from access.audit where action like '%emergency'")
    assert tuple(row) == ("opened the record in an emergency", {"ann": "EU"}, "unconscious in the waiting room")

    # Her one second factor is not taken away by a slip; with an authenticator app it may be.
    await page.goto(f"{site}/account")
    await page.locator("summary", has_text="Remove").click()
    await page.get_by_role("button", name="Yes, it signs me in no longer: My phone").click()
    await page.get_by_text("the only way in that you have").wait_for()
    async with ctx.database.connection() as sql:
        await sql.execute("insert into access.credential values ($1, 'totp', 'sealed', now())", elena.id)
    await page.locator("summary", has_text="Remove").click()
    await page.get_by_role("button", name="Yes, it signs me in no longer: My phone").click()
    await page.get_by_text("No passkey yet").wait_for()
    assert said == []
    await context.close()


async def test_who_is_invited_begins_with_a_passkey_and_needs_no_password(
    ctx: Ctx, site: str, chromium: Browser, delivered: Deliver
) -> None:
    nurse = await add(ctx, "nurse", "Amina Haddad", email="amina@clinic.example")
    await add(ctx, "administrator", "Ada Ek", email="ada@clinic.example")
    async with access.work(ctx, "invited") as inner:
        link = await access.sign_in.invite(inner, nurse.id)
    context = await chromium.new_context(viewport={"width": 360, "height": 740}, bypass_csp=True)
    page = await context.new_page()
    await authenticator(context, page)
    await page.goto(link)
    await page.get_by_role("button", name="Set up a passkey").click()
    await page.wait_for_url(f"{site}/account")
    assert await page.get_by_role("heading", name="Amina Haddad").is_visible()
    await page.goto(link)
    assert await page.get_by_role("heading", name="This link is spent").is_visible()
    await page.goto(f"{site}/account")
    await page.get_by_role("button", name="Sign out", exact=True).click()
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(lambda url: "/sign-in" not in url)

    # A new password by e-mail does not get round the passkey, and the page says how to go on.
    await context.clear_cookies()
    await page.goto(f"{site}/sign-in")
    await page.get_by_label("Your e-mail or telephone").fill("amina@clinic.example")
    await page.get_by_role("button", name="Send me a code").click()
    await page.get_by_role("heading", name="Type the code").wait_for()
    await delivered()
    await page.goto(f"{site}/demo/outbox")
    links = await page.locator("a[href*='/enter/']").evaluate_all("all => all.map((one) => one.href)")
    (recover,) = set(links) - {link}
    await page.goto(recover)
    assert not await page.get_by_role("button", name="Set up a passkey").is_visible()
    await page.get_by_label("New password").fill(PASSWORD)
    await page.get_by_label("The same again").fill(PASSWORD)
    await page.get_by_role("button", name="Save and go on").click()
    await page.get_by_text("Your passkey is your second step").wait_for()
    assert await page.get_by_text("Key:").count() == 0
    assert await faults(page) == []
    assert await page.get_by_role("link", name="I do not have that passkey any more").get_attribute("href") == (
        "/sign-in/help"
    )
    await page.get_by_role("button", name="Use a passkey").click()
    await page.wait_for_url(f"{site}/account")
    await context.close()


async def test_another_persons_passkey_does_not_confirm(ctx: Ctx, site: str, chromium: Browser) -> None:
    for name in ("Elena Ruiz", "Samuel Okafor"):
        await add(ctx, "clinician", name)
    context = await chromium.new_context()
    page = await context.new_page()
    await authenticator(context, page)
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Elena Ruiz").click()
    await page.goto(f"{site}/account")
    await page.get_by_role("button", name="Add a passkey").click()
    await page.get_by_text("This device, since").wait_for()
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Samuel Okafor").click()
    await page.goto(f"{site}/emergency/ann")
    await page.get_by_label("Why you need this record now").fill("unconscious in the waiting room")
    await page.get_by_role("button", name="Use a passkey instead").click()
    await page.get_by_text("You have no passkey yet.").wait_for()
    assert "/emergency/" in page.url
    await context.close()


async def test_staff_by_password_and_second_factor_without_scripts(ctx: Ctx, site: str, chromium: Browser) -> None:
    await add(ctx, "nurse", "Amina Haddad", email="amina@clinic.example", password=PASSWORD)
    context = await chromium.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = await context.new_page()
    await page.goto(f"{site}/sign-in?next=/account")
    await page.get_by_label("E-mail or telephone", exact=True).fill("amina@clinic.example")
    await page.get_by_role("textbox", name="Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    secret = await page.locator("code").inner_text()
    await page.get_by_label("Six digits").fill("000000")
    await page.get_by_role("button", name="Go on").click()
    await expect(page.get_by_text("That did not match")).to_be_visible()
    assert await page.locator("code").inner_text() == secret
    await page.get_by_label("Six digits").fill(pyotp.TOTP(secret).at(ctx.clock.now()))
    await page.get_by_role("button", name="Go on").click()
    await page.wait_for_url("**/account")
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.wait_for_url("**/sign-in")
    await page.goto(f"{site}/account")
    assert "/sign-in" in page.url
    await context.close()


async def test_a_patient_by_the_link_in_the_outbox(ctx: Ctx, site: str, chromium: Browser, delivered: Deliver) -> None:
    await add(ctx, "patient", "Rosa Álvarez", patient="rosa", phone="+15550134")
    page = await chromium.new_page(viewport={"width": 320, "height": 640})
    await page.goto(f"{site}/sign-in")
    await page.get_by_label("Your e-mail or telephone").fill("+1 555 0134")
    await page.get_by_role("button", name="Send me a code").click()
    await page.get_by_role("heading", name="Type the code").wait_for()
    await delivered()
    await page.goto(f"{site}/demo/outbox")
    link = await page.locator("a[href*='/enter/']").get_attribute("href")
    assert link is not None
    async with httpx.AsyncClient() as scanner:
        for _ in range(3):
            assert (await scanner.get(link)).status_code == 200
    await page.goto(link)
    await page.get_by_role("button", name="Sign in on this device").click()
    await page.wait_for_url("**/account")
    assert await page.get_by_role("heading", name="Rosa Álvarez").is_visible()
    await page.goto(link)
    assert await page.get_by_role("heading", name="This link is spent").is_visible()
    assert await page.get_by_role("link", name="Get a new link").is_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    await page.close()


async def test_the_session_warns_and_can_be_extended(
    ctx: Ctx, site: str, chromium: Browser, clock: TurnableClock
) -> None:
    await add(ctx, "nurse", "Amina Haddad")
    page = await chromium.new_page()
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Amina Haddad").click()
    await page.goto(f"{site}/account")
    clock.turn(timedelta(minutes=14, seconds=20))
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    dialog = page.get_by_role("dialog", name="Are you still here?")
    await dialog.wait_for()
    # The dialog closes at once; only when the server has heard of it may the clock go on.
    async with page.expect_response("**/session"):
        await dialog.get_by_role("button", name="I am here, go on").click()
    await dialog.wait_for(state="hidden")
    clock.turn(timedelta(minutes=14))
    await page.goto(f"{site}/account?from=here")
    assert page.url.endswith("/account?from=here")
    clock.turn(timedelta(minutes=15))
    await page.evaluate("document.dispatchEvent(new Event('visibilitychange', {bubbles: true}))")
    await page.wait_for_url("**/sign-in?next=%2Faccount%3Ffrom%3Dhere", wait_until="commit")
    await page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    ctx: Ctx, site: str, chromium: Browser, scheme: Any
) -> None:
    nurse = await add(ctx, "nurse", "Amina Haddad", password=PASSWORD)
    for n in range(8):
        await add(ctx, "patient", f"Patient {n}", patient=f"p{n}")
    async with access.work(ctx, "invited") as inner:
        invitation = await access.sign_in.invite(inner, nurse.id)
    context = await chromium.new_context(viewport={"width": 320, "height": 640}, color_scheme=scheme, bypass_csp=True)
    page = await context.new_page()

    async def check(path: str) -> None:
        await page.goto(path if path.startswith("http") else site + path)
        assert await faults(page) == [], path
        assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path

    for path in ("/sign-in", "/sign-in/help", "/demo/outbox", "/enter/spent", invitation):
        await check(path)
    await page.goto(f"{site}/sign-in")
    await page.get_by_label("Your e-mail or telephone").fill("someone@home.example")
    await page.get_by_role("button", name="Send me a code").click()
    await page.get_by_role("heading", name="Type the code").wait_for()
    assert await faults(page) == []
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Amina Haddad").click()
    for path in ("/account", "/emergency/ann"):
        await check(path)
    await context.close()


async def test_no_page_tells_whether_an_account_exists(ctx: Ctx, site: str) -> None:
    await add(ctx, "patient", "Rosa Álvarez", patient="rosa", email="there@home.example", password=PASSWORD)
    async with httpx.AsyncClient(base_url=site) as client:
        for path, form in (
            ("/sign-in/password", {"name": "{}", "password": "wrong"}),
            ("/sign-in/send", {"address": "{}"}),
            ("/sign-in/code", {"address": "{}", "code": "000000"}),
            ("/sign-in/help", {"address": "{}"}),
        ):
            answers = []
            for address in ("there@home.example", "gone0@home.example"):
                data = {key: value.format(address) for key, value in form.items()}
                answer = await client.post(path, data=data)
                answers.append((answer.status_code, answer.text.replace(address, "")))
            assert answers[0] == answers[1], path


async def test_no_way_leads_off_the_site(ctx: Ctx, site: str) -> None:
    nurse = await add(ctx, "nurse", "Amina Haddad")
    async with httpx.AsyncClient(base_url=site) as client:
        for wanted in (
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "javascript:alert(1)",
            "/ok\n",
            "",
        ):
            answer = await client.post("/sign-in/demo", data={"person": nurse.id, "next": wanted})
            assert answer.headers["location"] == "/", wanted
        answer = await client.post("/sign-in/demo", data={"person": nurse.id, "next": "/patients/1?tab=x"})
        assert answer.headers["location"] == "/patients/1?tab=x"
        assert (await client.get("/")).status_code == 303


async def test_who_signs_in_anew_leaves_no_session_behind(ctx: Ctx, site: str) -> None:
    nurse, doctor = await add(ctx, "nurse", "Amina Haddad"), await add(ctx, "clinician", "Elena Ruiz")
    async with httpx.AsyncClient(base_url=site) as client:
        for person in (nurse, doctor):
            await client.post("/sign-in/demo", data={"person": person.id})
    async with ctx.database.connection() as sql:
        open_ = await sql.fetch("select person from access.session where ended is null")
    assert [row["person"] for row in open_] == [doctor.id]


async def test_another_site_cannot_sign_anybody_in_or_out(ctx: Ctx, site: str) -> None:
    nurse = await add(ctx, "nurse", "Amina Haddad")
    async with httpx.AsyncClient(base_url=site) as client:
        for path in ("/sign-in/demo", "/sign-in/password", "/sign-out"):
            answer = await client.post(path, data={"person": nurse.id}, headers={"sec-fetch-site": "cross-site"})
            assert answer.status_code == 403, path
