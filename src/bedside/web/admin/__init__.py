"""The administrator's and the privacy officer's pages."""

from starlette.routing import BaseRoute, Route

from bedside.web.admin import (
    audit,
    clinic,
    closing,
    emergencies,
    functions,
    hours,
    leaving,
    notices,
    people,
    person,
    places,
    retention,
    staff_list,
    start,
    status,
)
from bedside.web.admin.clinic import shown

ROUTES: list[BaseRoute] = [
    Route("/admin", people.page),
    Route("/admin/clinic", clinic.page),
    Route("/admin/clinic", clinic.save, methods=["POST"]),
    Route("/admin/start", start.page),
    Route("/admin/start/notice", start.test_notice, methods=["POST"]),
    Route("/admin/start/away", start.put_away, methods=["POST"]),
    *notices.ROUTES,
    Route("/admin/places", places.page),
    Route("/admin/places", places.add, methods=["POST"]),
    Route("/admin/places/{place}", places.change, methods=["POST"]),
    Route("/admin/places/{place}/close", closing.page),
    Route("/admin/places/{place}/close", closing.close, methods=["POST"]),
    Route("/admin/places/{place}/reopen", closing.reopen, methods=["POST"]),
    Route("/admin/people", people.add, methods=["POST"]),
    Route("/admin/people/{person}/invite", people.invite, methods=["POST"]),
    Route("/admin/people/import", staff_list.page),
    Route("/admin/people/import", staff_list.look, methods=["POST"]),
    Route("/admin/people/import/these", staff_list.take, methods=["POST"]),
    Route("/admin/people/template.csv", staff_list.template),
    Route("/admin/people/{person}", person.page),
    Route("/admin/people/{person}/change", person.change, methods=["POST"]),
    Route("/admin/people/{person}/address", person.address, methods=["POST"]),
    Route("/admin/people/{person}/licence", person.licence, methods=["POST"]),
    Route("/admin/people/{person}/leave", leaving.page),
    Route("/admin/people/{person}/leave", leaving.leave, methods=["POST"]),
    Route("/admin/hours", hours.listing),
    Route("/admin/hours/{place}", hours.edit),
    Route("/admin/hours/{place}", hours.save, methods=["POST"]),
    Route("/admin/functions", functions.page),
    Route("/admin/functions/{name}", functions.switch, methods=["POST"]),
    Route("/admin/retention", retention.page),
    Route("/admin/retention/{kind}", retention.answer, methods=["POST"]),
    Route("/admin/audit", audit.page),
    *emergencies.ROUTES,
    Route("/admin/status", status.page),
    Route("/admin/status/release", status.release, methods=["POST"]),
]

__all__ = ["ROUTES", "shown"]
