"""Staff pages: today, finding a patient, the chart."""

from starlette.routing import BaseRoute

from bedside.web.clinician import chart, duplicates, find, glucose, limits, today, waveforms

ROUTES: list[BaseRoute] = [
    *today.ROUTES,
    *find.ROUTES,
    *duplicates.ROUTES,
    *limits.ROUTES,
    *glucose.ROUTES,
    *waveforms.ROUTES,
    *chart.ROUTES,
]
