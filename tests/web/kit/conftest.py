"""The kit alone, behind the real safety headers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from bedside.foundation.http import Errors, Guard
from bedside.web import kit


@pytest.fixture
def app() -> Starlette:
    """The kit's routes in an app with a clinic."""
    made = Starlette(
        routes=kit.ROUTES,
        middleware=[Middleware(Errors, page=kit.error_page, log=lambda *a, **k: None), Middleware(Guard)],
    )
    made.state.clinic = kit.Clinic("Riverside Clinic", "+1 555 0100", "911", "America/New_York")
    return made


@pytest.fixture(scope="session")
def axe() -> Iterator[str]:
    """axe-core's source, to be run in a page."""
    yield (Path(__file__).parents[3] / "node_modules/axe-core/axe.min.js").read_text()
