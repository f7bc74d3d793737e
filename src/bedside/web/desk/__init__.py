"""The desk: a patient is registered, and invited to sign in as themselves; who asks to be registered is answered,
and who cannot sign in any more is let in again."""

from starlette.routing import BaseRoute

from bedside.web.desk import apply, calls, invite, letting_in, register, waiting

ROUTES: list[BaseRoute] = [
    *register.ROUTES,
    *waiting.ROUTES,
    *calls.ROUTES,
    *invite.ROUTES,
    *letting_in.ROUTES,
    *apply.ROUTES,
]
