"""Typing a reading, and taking one back: the patient's own pages and the staff's, on one form."""

from starlette.routing import BaseRoute

from bedside.web.readings import aftermath, send, withdraw

ROUTES: list[BaseRoute] = [*send.ROUTES, *aftermath.ROUTES, *withdraw.ROUTES]
