"""The patient's pages: home, readings, medicines, me, who looked. Messages: web/messages."""

from starlette.routing import BaseRoute

from bedside.web.patient import caregivers, home, me, medicines, readings, told

PAGES = (home, readings, medicines, me, caregivers, told)
ROUTES: list[BaseRoute] = [route for page in PAGES for route in page.ROUTES]
