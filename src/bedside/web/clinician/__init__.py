"""Staff pages: today, finding a patient, the chart."""

from starlette.routing import BaseRoute

from bedside.web.clinician import chart, duplicates, find, glucose, known, limits, overlay, targets, today, waveforms

ROUTES: list[BaseRoute] = [
    *today.ROUTES,
    *find.ROUTES,
    *duplicates.ROUTES,
    *known.ROUTES,
    *limits.ROUTES,
    *targets.ROUTES,
    *glucose.ROUTES,
    *overlay.ROUTES,
    *waveforms.ROUTES,
    *chart.ROUTES,
]
