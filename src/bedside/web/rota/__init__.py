"""The on-call timetable: the administrator's week and plan, and everybody's own duties."""

from starlette.routing import BaseRoute, Route

from bedside.web.rota import mine, plan, stand_in, week

ROUTES: list[BaseRoute] = [
    Route("/admin/rota", week.page),
    Route("/admin/rota/substitutes", stand_in.add, methods=["POST"]),
    Route("/admin/rota/substitutes/{id}/end", stand_in.end, methods=["POST"]),
    Route("/admin/rota/duties/{id}/end", plan.end, methods=["POST"]),
    Route("/admin/rota/{place}", plan.page, methods=["GET"]),
    Route("/admin/rota/{place}", plan.add, methods=["POST"]),
    Route("/admin/rota/{place}/zone", plan.zone, methods=["POST"]),
    Route("/duties", mine.page, methods=["GET"]),
    Route("/duties", mine.add, methods=["POST"]),
    Route("/duties/substitutes/{id}/end", mine.end, methods=["POST"]),
]

__all__ = ["ROUTES"]
