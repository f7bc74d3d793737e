"""The web's doors for readings: HTTPS, one message a request, and a WebSocket for gateways."""

from starlette.routing import BaseRoute, Route, WebSocketRoute

from bedside.monitoring.routes.carried import put
from bedside.monitoring.routes.gateway import link
from bedside.monitoring.routes.readings import post

ROUTES: list[BaseRoute] = [
    Route("/devices/{device}/readings", post, methods=["POST"]),
    Route("/devices/{device}/gateway", put, methods=["PUT"]),
    WebSocketRoute("/devices/{device}/ws", link),
]
