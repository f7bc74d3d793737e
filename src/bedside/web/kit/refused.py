"""What went wrong, as a page: what happened, what to do next, and the clinic's telephone."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from bedside.foundation.errors import BedsideError
from bedside.web.kit.page import render


async def error_page(request: Request, error: BedsideError) -> Response:
    """The HTML answer to a BedsideError. A fragment (htmx) gets the words alone."""
    fragment = request.headers.get("hx-request") == "true"
    template = "kit/pages/error_fragment.html" if fragment else "kit/pages/error.html"
    return render(request, template, error.status, error=error)
