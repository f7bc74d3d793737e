"""Devices: what went wrong on the way, and who holds which from when to when."""

from starlette.routing import BaseRoute

from bedside.web.devices import held, trouble

ROUTES: list[BaseRoute] = [*trouble.ROUTES, *held.ROUTES]
