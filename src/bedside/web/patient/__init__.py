"""The patient's pages: home, readings, medicines, messages, me, who looked."""

from starlette.routing import BaseRoute

from bedside.web.patient import caregivers, home, me, medicines, messages, readings, told

ROUTES: list[BaseRoute] = [
    *home.ROUTES,
    *readings.ROUTES,
    *medicines.ROUTES,
    *messages.ROUTES,
    *me.ROUTES,
    *caregivers.ROUTES,
    *told.ROUTES,
]
