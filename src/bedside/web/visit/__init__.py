"""The pages around a visit: the patient's way in, the room on both sides, the clinician's list."""

from bedside.web.visit.calendar import ROUTES as CALENDAR
from bedside.web.visit.consult import ROUTES as CONSULT
from bedside.web.visit.entry import ROUTES as ENTRY

ROUTES = [*CALENDAR, *ENTRY, *CONSULT]

__all__ = ["ROUTES"]
