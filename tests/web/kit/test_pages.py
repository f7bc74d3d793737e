"""The kit's pages: every component, in light and dark, on a telephone and a desk, without a fault axe can find."""

import json
from typing import Any

import httpx
import pytest
from playwright.async_api import expect
from starlette.applications import Starlette
from tests.web.browsing import chromium, serving

from bedside.web.kit.assets import STATIC
from bedside.web.kit.languages import accepted
from bedside.web.kit.routes import component_names

pytestmark = pytest.mark.journey

FOUND_BY_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


async def faults(page: Any, axe: str) -> list[str]:
    """What axe-core finds wrong, one line each."""
    await page.evaluate(axe)
    tags = json.dumps(FOUND_BY_TAGS)
    result = await page.evaluate(f"axe.run({{runOnly: {tags}}})")
    return [f"{v['id']}: {n['target']} {n['failureSummary']}" for v in result["violations"] for n in v["nodes"]]


async def test_axe_finds_nothing(app: Starlette, axe: str) -> None:
    async with serving(app) as base, chromium() as browser:
        for width in (360, 1440):
            for theme in ("paper", "night"):
                for density in ("patient", "staff"):
                    page = await browser.new_page(viewport={"width": width, "height": 800}, bypass_csp=True)
                    await page.goto(f"{base}/kit?theme={theme}&density={density}")
                    assert await faults(page, axe) == [], (width, theme, density)
                    await page.close()


async def test_reflow_at_320_and_policy_is_kept(app: Starlette) -> None:
    """At 320 px nothing scrolls sideways; no page breaks its own content policy or throws."""
    async with serving(app) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 320, "height": 640})
        said: list[str] = []
        page.on("console", lambda m: said.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda e: said.append(str(e)))
        for path in ("/kit?density=patient", "/kit?density=staff", "/help", "/nowhere"):
            await page.goto(base + path)
            assert await page.evaluate("document.documentElement.scrollWidth") <= 320, path
        assert [s for s in said if "404" not in s] == []
        await page.goto(f"{base}/kit")
        await page.get_by_role("button", name="End the visit").click()
        await expect(page.get_by_role("dialog", name="End the visit?")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog", name="End the visit?")).to_be_hidden()


async def test_a_patients_page_is_small(app: Starlette) -> None:
    """Everything a patient's browser fetches for a page of the kit, as compressed bytes: at most 48 kB."""
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
        takes = {"accept-encoding": "br, gzip"}
        html = (await client.get("/help", headers=takes)).text
        async with client.stream("GET", "/help", headers=takes) as page:
            total = sum([len(chunk) async for chunk in page.aiter_raw()])
        for part in html.split('"'):
            if part.startswith("/static/"):
                async with client.stream("GET", part, headers={"accept-encoding": "br, gzip"}) as response:
                    assert response.status_code == 200, part
                    assert response.headers["cache-control"] == "public, max-age=31536000, immutable"
                    total += sum([len(chunk) async for chunk in response.aiter_raw()])
    assert total <= 48_000


async def test_a_page_is_packed_unless_it_may_repeat_the_asker(app: Starlette) -> None:
    """A packed page's length tells what of the asker's words stands in it already: so none that may hold them."""
    takes = {"accept-encoding": "gzip"}
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
        packed = await client.get("/help", headers=takes)
        assert packed.headers["content-encoding"] == "gzip"
        assert packed.headers["vary"] == "cookie, accept-language, Accept-Encoding"
        assert packed.text == (await client.get("/help", headers={"accept-encoding": "identity"})).text
        for other in ("/help?q=me", "/nowhere"):
            assert "content-encoding" not in (await client.get(other, headers=takes)).headers, other


async def test_static_gives_what_the_browser_takes(app: Starlette) -> None:
    script = next(p for p in STATIC.glob("kit/script/page-*.js"))
    where = f"/static/kit/script/{script.name}"
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
        for accept, given in (("br, gzip", "br"), ("gzip", "gzip"), ("identity", None)):
            async with client.stream("GET", where, headers={"accept-encoding": accept}) as response:
                sent = b"".join([chunk async for chunk in response.aiter_raw()])
            assert response.headers.get("content-encoding") == given
            suffix = {"br": ".br", "gzip": ".gz", None: ""}[given]
            assert sent == script.with_name(script.name + suffix).read_bytes()
            assert response.headers["content-type"].startswith("text/javascript")
        for wrong in (
            "/static/manifest.json",
            "/static/../kit/page.py",
            "/static/%2e%2e/kit/page.py",
            "/static/none.js",
        ):
            assert (await client.get(wrong)).status_code == 404
        assert (await client.post(where)).status_code == 405


async def test_languages_and_refusals(app: Starlette) -> None:
    transport = httpx.ASGITransport(app=app)
    page = {"accept": "text/html"}
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside") as client:
        spanish = await client.get("/help", headers=page | {"accept-language": "es-MX,es;q=0.9,en;q=0.5"})
        assert '<html lang="es"' in spanish.text
        assert "Teléfono de la clínica" in spanish.text
        chosen = await client.post("/preferences", data={"language": "es", "theme": "night", "back": "/help"})
        assert chosen.status_code == 303
        assert chosen.headers["location"] == "/help"
        own = await client.get("/help", headers=page | {"accept-language": "en"})
        assert '<html lang="es" data-theme="night"' in own.text
        away = await client.post("/preferences", data={"back": "//elsewhere.example/"})
        assert away.headers["location"] == "/"


@pytest.mark.parametrize(
    ("header", "best"),
    [("es-MX,es;q=0.9", "es"), ("fr,en;q=0.3,es;q=0.4", "es"), ("fr", None), ("", None), ("es;q=0,en;q=0.1", "en")],
)
def test_accept_language(header: str, best: str | None) -> None:
    assert accepted(header) == best


def test_every_component_has_its_folder_and_example() -> None:
    folders = {p.name for p in (STATIC.parent / "kit/components").iterdir() if p.is_dir()}
    assert folders == set(component_names())
    for name in folders:
        assert (STATIC.parent / f"kit/components/{name}/{name}.html").exists()


async def test_a_time_on_paper_is_a_date_and_a_wide_button_fills_its_column(app: Starlette) -> None:
    """ "today 20:12" would be wrong on a sheet that is read tomorrow."""
    async with serving(app) as base, chromium() as browser:
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        await page.goto(f"{base}/kit?density=patient")
        moment = page.locator("section[aria-labelledby=part-moment] time")
        assert (await moment.inner_text()).startswith("today")
        await page.emulate_media(media="print")
        assert "20" in await moment.inner_text()
        assert "today" not in await moment.inner_text()
        await page.emulate_media(media="screen")
        for button in await page.locator(".btn-wide").all():
            wide = await button.evaluate("b => [b.offsetWidth, b.parentElement.clientWidth]")
            assert wide[0] == wide[1] > 256
