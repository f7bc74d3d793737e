"""The kit's own addresses: /static, /kit, /help, /offline and the reader's preferences."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bedside.web.kit.assets import static
from bedside.web.kit.languages import LANGUAGES
from bedside.web.kit.page import THEMES, WEB, prefer, render


def component_names() -> list[str]:
    """Every component's folder."""
    return sorted(p.parent.name for p in (WEB / "kit/components").glob("*/example.html"))


async def kit(request: Request) -> Response:
    """Every component with an example: ?theme=paper|night, ?density=patient|staff."""
    theme = request.query_params.get("theme")
    density = request.query_params.get("density")
    return render(
        request,
        "kit/pages/kit.html",
        names=component_names(),
        theme=theme if theme in THEMES else None,
        density=density if density in {"patient", "staff"} else "patient",
    )


async def help_page(request: Request) -> Response:
    """What to do, and whom to ring."""
    return render(request, "kit/pages/help.html")


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
    Route("/help", help_page),
    Route("/preferences", preferences, methods=["POST"]),
]
