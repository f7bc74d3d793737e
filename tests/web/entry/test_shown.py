"""Staff say on their account in which language they read; a session says in which browser it runs."""

import pytest
from playwright.async_api import Browser

from bedside import access
from bedside.foundation.context import Ctx
from bedside.web.entry.browsers import browser

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36"


@pytest.mark.journey
async def test_a_clinician_reads_spanish_from_then_on(ctx: Ctx, site: str, chromium: Browser) -> None:
    async with access.work(ctx, "added somebody") as inner:
        new = access.NewPerson(name="Elena Ruiz", roles=frozenset({"clinician"}))
        elena = await access.add_person(inner, new)
    page = await chromium.new_page()
    await page.goto(f"{site}/sign-in")
    await page.get_by_role("button", name="Elena Ruiz").click()
    await page.wait_for_url("**/account")
    await page.get_by_label("Español").check()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("heading", name="Mi cuenta").wait_for()
    await page.get_by_text("Guardado").wait_for()
    async with access.work(ctx, "looked for a test", readonly=True) as inner:
        assert (await access.person(inner, elena.id)).language == "es"


@pytest.mark.unit
@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (WINDOWS, "Chrome, Windows"),
        (f"{WINDOWS} Edg/140.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 26_0 like Mac OS X) Version/26.0 Mobile/15E148 Safari/604.1",
            "Safari, iPhone",
        ),
        ("Mozilla/5.0 (Android 16; Mobile; rv:146.0) Gecko/146.0 Firefox/146.0", "Firefox, Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", ""),
    ],
)
def test_a_browser_in_words(agent: str, said: str) -> None:
    assert browser(agent) == said
