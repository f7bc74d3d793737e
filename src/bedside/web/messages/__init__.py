"""Conversations: the patient's and the staff's pages of what is written between home and clinic."""

from starlette.routing import BaseRoute

from bedside.web.messages import away, files, listing, promise, talk, turning, write

PAGES = (listing, write, away, promise, turning, files, talk)
ROUTES: list[BaseRoute] = [route for page in PAGES for route in page.ROUTES]
