"""Devices: which there are, what went wrong on the way, adding one, and who holds which from when to when."""

from starlette.routing import BaseRoute

from bedside.web.devices import device, held, new, trouble
from bedside.web.devices.words import Door

ROUTES: list[BaseRoute] = [*trouble.ROUTES, *new.ROUTES, *held.ROUTES, *device.ROUTES]

__all__ = ["ROUTES", "Door"]
