"""`make handbook`: takes the handbook's pictures anew, docs/handbook/pictures/NAME[-es]-THEME.webp.

    python -m tools.handbook_pictures [NAME …]

From a demo of its own, in light and dark. Beside them pictures.json keeps how large each is and what names things in
it, so that the tests see when a page says otherwise.
"""

from __future__ import annotations

import json
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page as Tab
from tests.journeys.pictures import LARGEST, PICTURES, Picture, clip, open_tab, opened, reads, said_in, take
from tests.journeys.scene import prepare
from tests.journeys.visiting import sign_in

from tools import chromium
from tools.build_handbook import PICTURES as FOLDER
from tools.build_handbook import THEMES
from tools.clinic import running
from tools.steps import say


def shape(webp: bytes) -> dict[str, int]:
    """Width and height, from the file's first bytes (lossy VP8 or extended VP8X)."""
    if webp[12:16] == b"VP8 ":
        width, height = struct.unpack("<HH", webp[26:30])
        return {"width": width & 0x3FFF, "height": height & 0x3FFF}
    return {"width": int.from_bytes(webp[24:27], "little") + 1, "height": int.from_bytes(webp[27:30], "little") + 1}


def taken(
    browser: Browser,
    address: str,
    picture: Picture,
    scene: dict[str, str],
    kept: dict[str, Any],
    sessions: dict[str | None, Any],
) -> None:
    """One picture in each of its languages and both themes; what it shows goes into kept."""
    if picture.reader not in sessions:
        tab = open_tab(browser, address, picture)
        if picture.reader is not None:
            sign_in(tab, picture.reader)
        sessions[picture.reader] = tab.context.storage_state()
        tab.context.close()
    encoder = browser.new_page()
    tab = open_tab(browser, address, picture, sessions[picture.reader])
    for language in picture.languages:
        reads(tab, picture, language)
        name = picture.name if language == "en" else f"{picture.name}-{language}"
        for theme in THEMES:
            tab.emulate_media(color_scheme="dark" if theme == "dark" else "light")
            opened(tab, picture, scene, language)
            settle(tab, picture)
            where = clip(tab, picture)
            if theme == "light":
                kept["said"][name] = sorted(said_in(tab, where))
            webp = take(tab, where, encoder)
            if len(webp) > LARGEST:
                say(f"✗ {name}-{theme}: {len(webp)} bytes, {LARGEST} at most")
            (FOLDER / f"{name}-{theme}.webp").write_bytes(webp)
            # As large as it was on the page.
            kept["shapes"][f"{name}-{theme}.webp"] = {
                side: round(size / picture.scale) for side, size in shape(webp).items()
            }
        say(f"✓ {name}")
    tab.context.close()
    encoder.context.close()


def settle(tab: Tab, picture: Picture) -> None:
    """Pages with live parts: until the first picture of them is there."""
    if picture.page in {"wall", "visit"}:
        tab.wait_for_timeout(4000)


def main() -> int:
    """All, or those named."""
    executable = chromium.find()
    if executable is None:
        say("No Chromium here: make setup installs one.")
        return 1
    wanted = set(sys.argv[1:])
    file = FOLDER / "pictures.json"
    kept: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {"shapes": {}, "said": {}}
    sessions: dict[str | None, Any] = {}
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="bedside-handbook-") as home,
        running(Path(home) / "home") as clinic,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=executable, args=[*chromium.ARGUMENTS])
        scene = prepare(browser, clinic.address)
        for picture in PICTURES:
            if wanted and picture.name not in wanted:
                continue
            try:
                taken(browser, clinic.address, picture, scene, kept, sessions)
            except (AssertionError, PlaywrightError) as error:
                failed += 1
                say(f"✗ {picture.name}: {error}")
        browser.close()
    file.write_text(json.dumps(kept, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    say(f"{sum(path.stat().st_size for path in FOLDER.glob('*.webp')) / 1e6:.2f} MB of pictures")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
