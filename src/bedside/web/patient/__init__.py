"""The patient's pages: home, readings, medicines, messages, me, who looked."""

from starlette.routing import BaseRoute

from bedside.web.patient import caregivers, home, me, medicines, messages, readings, told

PAGES = (home, readings, medicines, messages, me, caregivers, told)
ROUTES: list[BaseRoute] = [route for page in PAGES for route in page.ROUTES]
