"""Every page, once: what test_axe.py visits, `make screenshots` takes and bench_pages weighs."""

from __future__ import annotations

from dataclasses import dataclass

STORY_PATIENT = "Rosa Álvarez"
"""Whose pressure rises in the first two minutes."""
STAFF_WIDTHS = (360, 1440)


@dataclass(frozen=True)
class Page:
    """One page. who: the name on the demo's sign-in button, None for nobody.

    by: links or buttons, by their accessible name, to click after path; a page whose address holds an id is reached so.
    shows: a heading or landmark that must be there, so that an error page never passes for the page.
    """

    name: str
    path: str
    who: str | None
    shows: str
    by: tuple[str, ...] = ()
    widths: tuple[int, ...] = STAFF_WIDTHS
    patient: bool = False
    """Whether a patient meets it on the way into a visit: then its weight is limited."""


PAGES: tuple[Page, ...] = (
    Page("kit", "/kit", None, "The kit"),
    Page("help", "/help", None, "Help", patient=True),
)
