"""The work list: what is open for whoever is signed in, by kind, oldest first, each with where it is done."""

from starlette.routing import BaseRoute

from bedside.web.work import listing, note, result, tasks

ROUTES: list[BaseRoute] = [*listing.ROUTES, *note.ROUTES, *result.ROUTES, *tasks.ROUTES]
