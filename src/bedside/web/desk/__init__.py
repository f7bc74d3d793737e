"""The desk: a patient is registered, and invited to sign in as themselves; who asks to be registered is answered,
who cannot sign in any more is let in again, and whom a patient lets in is written down."""

from starlette.routing import BaseRoute

from bedside.web.desk import apply, calls, care, caregivers, details, invite, letting_in, register, waiting

ROUTES: list[BaseRoute] = [
    *register.ROUTES,
    *waiting.ROUTES,
    *calls.ROUTES,
    *invite.ROUTES,
    *letting_in.ROUTES,
    *caregivers.ROUTES,
    *details.ROUTES,
    *care.ROUTES,
    *apply.ROUTES,
]
