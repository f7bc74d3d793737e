"""The kit: one design language for every page (docs in VISUAL.md's words at /kit).

It owns layouts, components, tokens, the built front end under /static, languages and how times, ages and amounts are
written. It refuses to know any room: a page hands it values.

    return render(request, "clinician/chart.html", patient=patient)

A template extends `kit/layout/{bare,patient,staff,wall}.html` and imports macros from `kit/components.html`.
"""

from bedside.web.kit.clinic import Clinic
from bedside.web.kit.errors import told
from bedside.web.kit.page import Page, page_of, prefer, render, text, text_for, told_to
from bedside.web.kit.refused import error_page
from bedside.web.kit.routes import ROUTES
from bedside.web.kit.written import translator

__all__ = [
    "ROUTES",
    "Clinic",
    "Page",
    "error_page",
    "page_of",
    "prefer",
    "render",
    "text",
    "text_for",
    "told",
    "told_to",
    "translator",
]
