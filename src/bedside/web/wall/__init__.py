"""The nurse's wall and the list of alarms."""

from starlette.routing import BaseRoute

from bedside.web.wall import alarms, numbers, wall

ROUTES: list[BaseRoute] = [*wall.ROUTES, *numbers.ROUTES, *alarms.ROUTES]

__all__ = ["ROUTES"]
