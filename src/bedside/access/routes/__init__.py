"""HTTP of access: who asks (middleware), the token endpoint, the session's own state."""

from starlette.routing import BaseRoute, Route

from bedside.access.routes.session import Sessions, extend, state
from bedside.access.routes.token import token

ROUTES: list[BaseRoute] = [
    Route("/oauth/token", token, methods=["POST"]),
    Route("/session", state, methods=["GET"]),
    Route("/session/extend", extend, methods=["POST"]),
]

__all__ = ["ROUTES", "Sessions"]
