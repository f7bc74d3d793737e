"""The kit's own addresses: /static, /kit, /help, /offline and the reader's preferences."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bedside.web.kit import handbook
from bedside.web.kit.assets import static
from bedside.web.kit.languages import LANGUAGES
from bedside.web.kit.page import THEMES, WEB, page_of, prefer, render
from bedside.web.kit.series import Chart, Dot, Line


def component_names() -> list[str]:
    """Every component's folder."""
    return sorted(p.parent.name for p in (WEB / "kit/components").glob("*/example.html"))


def example_chart(now: datetime) -> Chart:
    """A week of pressures twice a day, one day of it missing, one typed, one entered in error."""
    days = [n for n in range(14) if n not in {8, 9, 10}]
    source = {3: "typed", 0: "imported"}
    lines = tuple(
        Line(
            name,
            tuple(
                Dot(now - timedelta(hours=12 * (13 - n)), base + (n * 7) % 13, source.get(n, "device"), wrong=n == 5)
                for n in days
            ),
            ((now - timedelta(hours=12 * 6), now - timedelta(hours=12 * 2)),),
        )
        for name, base in (("Systolic", 126), ("Diastolic", 78))
    )
    limits = ((100.0, 160.0), (None, 100.0))
    return Chart("example", "Blood pressure", "mm[Hg]", lines, limits, now - timedelta(days=7), now)


async def kit(request: Request) -> Response:
    """Every component with an example: ?theme=paper|night, ?density=patient|staff."""
    theme = request.query_params.get("theme")
    density = request.query_params.get("density")
    return render(
        request,
        "kit/pages/kit.html",
        names=component_names(),
        example_chart=example_chart(page_of(request).now),
        theme=theme if theme in THEMES else None,
        density=density if density in {"patient", "staff"} else "patient",
    )


async def preferences(request: Request) -> Response:
    """Language and theme of this browser, for anybody; a signed-in person's own language is kept by the Me page."""
    form = await request.form()
    back = str(form.get("back") or "/")
    response = RedirectResponse(back if back.startswith("/") and not back.startswith("//") else "/", 303)
    language, theme = str(form.get("language") or ""), str(form.get("theme") or "")
    if language in LANGUAGES:
        prefer(response, language=language)
    if theme in THEMES:
        prefer(response, theme=theme)
    elif theme == "system":
        response.delete_cookie("theme", path="/")
    return response


ROUTES: list[BaseRoute] = [
    Mount("/static", app=static),
    Route("/kit", kit),
    *handbook.ROUTES,
    Route("/preferences", preferences, methods=["POST"]),
]
