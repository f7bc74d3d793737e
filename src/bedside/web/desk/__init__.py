"""The desk: a patient is registered, and invited to sign in as themselves."""

from starlette.routing import BaseRoute

from bedside.web.desk import invite, register

ROUTES: list[BaseRoute] = [*register.ROUTES, *invite.ROUTES]
