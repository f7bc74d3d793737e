"""One name for browsers: passkeys and cookies belong to a name, so pages asked for by another are sent to it."""

from __future__ import annotations

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from bedside.foundation.http import header


class OneName:
    """Redirects a browser's page request to the public name; APIs and programs are answered under any name."""

    def __init__(self, app: ASGIApp, public_url: str, public_host: str) -> None:
        self.app, self.url, self.host = app, public_url.rstrip("/"), public_host

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in {"GET", "HEAD"}:
            page = "text/html" in (header(scope, b"accept") or "")
            if page and (header(scope, b"host") or self.host) != self.host:
                query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
                path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
                await RedirectResponse(f"{self.url}{path}{query}", 307)(scope, receive, send)
                return
        await self.app(scope, receive, send)
