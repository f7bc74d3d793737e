"""The administrator's and the privacy officer's pages."""

from starlette.routing import BaseRoute, Route

from bedside.web.admin import audit, clinic, functions, hours, people, places, retention, start
from bedside.web.admin.clinic import shown

ROUTES: list[BaseRoute] = [
    Route("/admin", people.page),
    Route("/admin/clinic", clinic.page),
    Route("/admin/clinic", clinic.save, methods=["POST"]),
    Route("/admin/start", start.page),
    Route("/admin/start/notice", start.test_notice, methods=["POST"]),
    Route("/admin/start/away", start.put_away, methods=["POST"]),
    Route("/admin/places", places.page),
    Route("/admin/places", places.add, methods=["POST"]),
    Route("/admin/people", people.add, methods=["POST"]),
    Route("/admin/people/{person}/invite", people.invite, methods=["POST"]),
    Route("/admin/people/{person}/leave", people.leave, methods=["POST"]),
    Route("/admin/hours", hours.listing),
    Route("/admin/hours/{place}", hours.edit),
    Route("/admin/hours/{place}", hours.save, methods=["POST"]),
    Route("/admin/functions", functions.page),
    Route("/admin/functions/{name}", functions.switch, methods=["POST"]),
    Route("/admin/retention", retention.page),
    Route("/admin/retention/{kind}", retention.answer, methods=["POST"]),
    Route("/admin/audit", audit.page),
]

__all__ = ["ROUTES", "shown"]
