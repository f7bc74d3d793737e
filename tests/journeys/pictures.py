"""The handbook's pictures: of which page each is taken, and what its chapter points at there.

`make handbook` takes them, in light and dark, into docs/handbook/pictures; test_handbook.py looks at each page anew.
"""

from __future__ import annotations

import base64
import math
import re
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, FloatRect
from playwright.sync_api import Page as Tab
from tests.journeys.pages import NURSE, PAGES, PATIENT, Page
from tests.journeys.visiting import show
from tools.messages import LANGUAGE, LOCALE, load

BOTH = ("en", "es")
QUALITY = 0.72
LARGEST = 60_000
"""Bytes of one picture."""


@dataclass(frozen=True)
class Picture:
    """One picture. page: a name of pages.py. part: what of the page is taken, as CSS (several: all that lies between).

    points: role and name, in English, of what the chapter points at; each must be on the page. who: another person than
    the page's. tall: CSS px at most. scale: pixels of the picture for each.
    """

    name: str
    page: str
    points: tuple[tuple[str, str], ...]
    part: str = "main"
    width: int = 960
    tall: int = 620
    scale: float = 1.25
    who: str | None = None
    languages: tuple[str, ...] = ("en",)

    @property
    def shown(self) -> Page:
        """The page, by its name."""
        return next(one for one in PAGES if one.name == self.page)

    @property
    def reader(self) -> str | None:
        """Who looks at it."""
        return self.who or self.shown.who


def _narrow(name: str, page: str, *points: tuple[str, str], part: str = "main", tall: int = 720) -> Picture:
    return Picture(name, page, points, part=part, width=360, tall=tall, scale=1.5, languages=BOTH)


PICTURES: tuple[Picture, ...] = (
    _narrow("sign-in", "sign-in", ("button", "Send me a code"), part="#passkey, #code, #password", tall=900),
    _narrow(
        "home",
        "home",
        ("link", "Join"),
        ("link", "Send a reading"),
        ("link", "Measure with a device"),
        part=".next-thing, [aria-labelledby='last-title']",
        tall=900,
    ),
    _narrow("send-pressure", "send-pressure", ("button", "Send")),
    _narrow("where", "where", ("button", "Continue"), tall=900),
    _narrow("write", "write", ("button", "Send")),
    _narrow("medicines", "medicines", ("heading", "Medicines")),
    _narrow("who-looked", "who-looked", ("heading", "Who looked at my record")),
    Picture("today", "today", (("heading", "Waiting"), ("heading", "Open alarms")), who=NURSE),
    Picture(
        "wall",
        "wall",
        (("button", "By severity"), ("button", "List")),
        part="bedside-wall",
        width=1440,
        tall=810,
        scale=0.75,
    ),
    Picture("alarm", "alarm", (("heading", "What happened"), ("heading", "Answer"), ("heading", "History"))),
    Picture("chart", "chart", (("heading", "Open alarms"), ("link", "Invite to video"), ("link", "Type a reading"))),
    Picture("register", "register", (("button", "Register"), ("textbox", "Family names"))),
    Picture("add-device", "add-device", (("button", "Add it and show its card"),)),
    Picture("inbox", "inbox", (("link", "Out of office"), ("heading", "Conversations"))),
    Picture("paper", "paper", (("button", "Keep the line"), ("textbox", "Number of the sheet"))),
    Picture("today-clinician", "today", (("heading", "Unsigned notes"), ("heading", "Refills to answer")), tall=760),
    Picture(
        "visit",
        "visit",
        (("button", "Sign the note"), ("button", "End"), ("button", "Share"), ("button", "Invite again")),
        width=1440,
        tall=860,
        scale=1,
    ),
    Picture("prescribe", "prescribe", (("button", "Search"), ("heading", "Formulary"))),
    Picture("limits", "limits", (("heading", "This patient's own"), ("button", "Set it")), tall=760),
    Picture("pharmacy", "pharmacy", (("heading", "Waiting"),)),
    Picture("first-steps", "first-steps", (("heading", "First steps"),)),
    Picture("people", "people", (("link", "Add many from a spreadsheet"), ("button", "Add and invite")), tall=500),
    Picture("rota", "rota", (("heading", "On-call timetable"), ("button", "Set the substitute"))),
    Picture("functions", "functions", (("heading", "Alarms from readings"), ("button", "Switch alarms off"))),
    Picture("notices", "notices", (("heading", "Does the way out work?"),)),
    # Not the list below: it names a folder of the machine it was taken on.
    Picture("status", "status", (("heading", "In order"), ("heading", "Versions")), tall=275),
    Picture("audit", "audit", (("button", "Show"), ("textbox", "Only this patient's id"))),
)

SAID = """(tab) => [...tab.querySelectorAll(
    "h1, h2, h3, label, legend, thead th, dt, summary, button:not([aria-label]), a.btn:not([aria-label])")]
  .map(one => [one.getBoundingClientRect(), one.textContent.replace(/\\s+/g, " ").trim()])
  .filter(([box, said]) => box.width > 1 && box.height > 1 && said)
  .map(([box, said]) => [box.left + scrollX, box.top + scrollY, box.right + scrollX, box.bottom + scrollY, said])"""
"""What names things on a page: headings, fields, columns, buttons; and where each stands."""

AS_WEBP = """async ([png, quality]) => {
  const image = new Image()
  image.src = "data:image/png;base64," + png
  await image.decode()
  const canvas = document.createElement("canvas")
  canvas.width = image.width
  canvas.height = image.height
  canvas.getContext("2d").drawImage(image, 0, 0)
  return canvas.toDataURL("image/webp", quality).split(",")[1]
}"""


def spanish() -> dict[str, str]:
    """What the pages say in Spanish, by its English."""
    found = {}
    for path in (LOCALE / LANGUAGE).glob("*.po"):
        for message in load(path):
            if isinstance(message.id, str) and isinstance(message.string, str) and message.id:
                found[message.id] = message.string
    return found


def opened(tab: Tab, picture: Picture, scene: dict[str, str], language: str) -> None:
    """The picture's page, its heading seen; whoever looks at it is signed in and reads that language."""
    tab.set_viewport_size({"width": picture.width, "height": picture.tall if picture.width > 1000 else 900})
    page = picture.shown
    # The heading as the page's own reader sees it may be in another language.
    shows = page.shows if language == "en" and page.who != PATIENT else ""
    show(tab, Page(page.name, page.path, page.who, shows), scene)
    tab.evaluate("document.fonts.ready")


def reads(tab: Tab, picture: Picture, language: str) -> None:
    """From now on the reader's pages are in that language."""
    form: dict[str, str | float | bool] = {"language": language, "back": "/"}
    tab.context.request.post("/account" if picture.reader else "/preferences", form=form)


def clip(tab: Tab, picture: Picture) -> FloatRect:
    """What of the page is taken, in CSS px from its top left."""
    boxes = [one.bounding_box() for one in tab.locator(picture.part).all()]
    found = [box for box in boxes if box is not None]
    left, top = min(box["x"] for box in found), min(box["y"] for box in found)
    right = max(box["x"] + box["width"] for box in found)
    bottom = max(box["y"] + box["height"] for box in found)
    down = tab.evaluate("scrollY")
    return {"x": left, "y": top + down, "width": right - left, "height": min(bottom - top, picture.tall)}


def said_in(tab: Tab, where: FloatRect | None = None) -> set[str]:
    """The names of things on the page, or in a part of it. Those with a number in them are somebody's data."""
    found: list[tuple[float, float, float, float, str]] = tab.locator("body").evaluate(SAID)
    inside = set()
    for left, top, right, bottom, words in found:
        within = where is None or (
            left >= where["x"] - 1
            and right <= where["x"] + where["width"] + 1
            and top >= where["y"] - 1
            and bottom <= where["y"] + where["height"] + 1
        )
        if within and not re.search(r"\d", words):
            inside.add(words)
    return inside


def take(tab: Tab, where: FloatRect, encoder: Tab) -> bytes:
    """The part of the page as WebP, made by the browser itself."""
    # Nothing that ticks or floats lies over it.
    tab.add_style_tag(content=".suggestion, .wall-story, .toast-area, .tabs-bottom { display: none !important }")
    seen = tab.viewport_size or {"width": 0, "height": 0}
    bottom = math.ceil(where["y"] + where["height"])
    if bottom > seen["height"]:  # the whole page may be thousands of lines
        tab.set_viewport_size({"width": seen["width"], "height": bottom})
    png = tab.screenshot(clip=where, animations="disabled")
    made: Any = encoder.evaluate(AS_WEBP, [base64.b64encode(png).decode(), QUALITY])
    return base64.b64decode(made)


def open_tab(browser: Browser, address: str, picture: Picture, state: Any = None) -> Tab:
    """A fresh profile with the sessions of state, as large as the picture wants it."""
    context = browser.new_context(
        base_url=address,
        reduced_motion="reduce",
        device_scale_factor=picture.scale,
        storage_state=state,
        bypass_csp=True,
    )
    return context.new_page()
