"""REST at /fhir/R4: `/fhir/R4` and `/fhir/R4/` are the same place."""

from starlette.routing import BaseRoute, Route

from bedside.records.routes.rest import METHODS, fhir

ROUTES: list[BaseRoute] = [
    Route("/fhir/R4", fhir, methods=METHODS),
    Route("/fhir/R4/{path:path}", fhir, methods=METHODS),
]
