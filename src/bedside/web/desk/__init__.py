"""The desk: a patient is registered, and invited to sign in as themselves; who asks to be registered is answered."""

from starlette.routing import BaseRoute

from bedside.web.desk import apply, invite, register, waiting

ROUTES: list[BaseRoute] = [*register.ROUTES, *waiting.ROUTES, *invite.ROUTES, *apply.ROUTES]
