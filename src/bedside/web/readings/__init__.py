"""Typing a reading, measuring one with a device, and taking one back: the patient's own pages and the staff's."""

from starlette.routing import BaseRoute

from bedside.web.readings import aftermath, measure, send, withdraw

ROUTES: list[BaseRoute] = [*send.ROUTES, *aftermath.ROUTES, *measure.ROUTES, *withdraw.ROUTES]
