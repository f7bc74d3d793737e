"""Rendering: one Jinja environment a language, and what every template may say without being told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, Response

from bedside.foundation.context import NOBODY, Actor
from bedside.foundation.errors import BedsideError
from bedside.foundation.packing import pack
from bedside.web.kit import assets, places, written
from bedside.web.kit.amounts import unit_of
from bedside.web.kit.band import band
from bedside.web.kit.clinic import Clinic, clinic_of
from bedside.web.kit.deeds import deed
from bedside.web.kit.errors import told
from bedside.web.kit.languages import LANGUAGES, catalogue, language_of
from bedside.web.kit.rows import labelled

WEB = Path(__file__).parent.parent
THEMES = ("paper", "night")
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Page:
    """What a template knows of its reader, as `page`."""

    language: str
    zone: ZoneInfo
    clinic: Clinic
    actor: Actor
    now: datetime
    path: str
    theme: str | None = None
    """paper, night, or None: as the reader's system says."""
    units: str = "metric"
    """metric or us: how temperature, weight and glucose are written; what is stored does not change."""
    places: tuple[places.Place, ...] = ()
    acting_for: str = ""
    """Whose record the page is about, where a caregiver reads it."""
    suggestion: str | None = None
    """A msgid of the demo's guide; None in a real clinic."""
    languages: dict[str, str] = field(default_factory=lambda: LANGUAGES)

    @property
    def signed_in(self) -> bool:
        return self.actor.kind == "person"

    @property
    def patient(self) -> bool:
        """Whether the reader is at home in patients' pages."""
        return bool(self.actor.roles & {"patient", "caregiver"})


_page: ContextVar[Page] = ContextVar("page")


def page_of(request: HTTPConnection) -> Page:
    """The reader's language, zone, theme, units: from the person's session (request.state), cookies, the clinic."""
    state = request.state
    ctx = getattr(state, "ctx", None)
    clinic = clinic_of(request)
    theme = request.cookies.get("theme")
    units = getattr(state, "units", None) or request.cookies.get("units") or clinic.units
    actor = ctx.actor if ctx is not None else NOBODY
    return Page(
        language=language_of(request, clinic.language),
        zone=_zone(getattr(state, "zone", None) or clinic.zone),
        clinic=clinic,
        actor=actor,
        now=ctx.clock.now() if ctx is not None else datetime.now(UTC),
        path=request.url.path,
        theme=theme if theme in THEMES else None,
        units="us" if units == "us" else "metric",
        places=places.places_for(request, actor.roles),
        acting_for=getattr(state, "acting_for", ""),
        suggestion=_suggestion(request),
    )


def _suggestion(request: HTTPConnection) -> str | None:
    """What app.state.suggest has to say, where app set one."""
    suggest = getattr(request.app.state, "suggest", None) if "app" in request.scope else None
    return suggest(request) if suggest is not None and getattr(request.state, "ctx", None) is not None else None


@cache
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def render(request: Request, template: str, status: int = 200, **data: Any) -> Response:
    """A template of web/ as the answer, in the reader's language. data: what the template names; a name it uses and
    was not given is an error, not an empty place. A BedsideError in data is told in that language too.

    Packed only where the asker put no words of their own into it (a query, a form): the length of a packed page that
    repeats them would tell a listener what else stands there (the attack called BREACH).
    """
    response = HTMLResponse(text(request, template, **data), status, headers={"vary": "cookie, accept-language"})
    if request.method == "GET" and status == 200 and not request.url.query:
        pack(request.scope, response)
    return response


def text(request: HTTPConnection, template: str, **data: Any) -> str:
    """The same as a string: for a fragment sent otherwise (over a WebSocket)."""
    return _text(request, page_of(request), template, data)


def text_in(request: HTTPConnection, language: str, template: str, **data: Any) -> Markup:
    """A part of a page in the language of somebody else than its reader: a sheet that is handed to a patient."""
    page = replace(page_of(request), language=language if language in LANGUAGES else "en")
    # What the template makes is markup that it escaped itself.
    return Markup(_text(request, page, template, data))  # noqa: S704


def _text(request: HTTPConnection, page: Page, template: str, data: dict[str, Any]) -> str:
    data = {key: told(one, page.language) if isinstance(one, BedsideError) else one for key, one in data.items()}
    return text_for(page, template, request=request, **data)


def text_for(page: Page, template: str, **data: Any) -> str:
    """The same for a reader whom no request names: for what is written into a file."""
    token = _page.set(page)
    try:
        return environment(page.language).get_template(template).render(page=page, **data)
    finally:
        _page.reset(token)


def told_to(connection: HTTPConnection, error: BedsideError) -> tuple[str, str | None]:
    """A refusal's message and remedy for whoever is at the other end: for what a socket sends to a page."""
    said = told(error, page_of(connection).language)
    return said.message, said.remedy


def prefer(response: Response, **choices: str) -> None:
    """Remember language, theme or units of a reader on this browser, signed in or not."""
    for name, value in choices.items():
        response.set_cookie(name, value, max_age=YEAR, httponly=True, samesite="lax", path="/")


@cache
def environment(language: str) -> Environment:
    """The templates in a language: macros see the language too, which an import without context otherwise would not."""
    env = Environment(
        loader=FileSystemLoader(WEB),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
        auto_reload="BEDSIDE_RELOAD" in os.environ,
    )
    found = catalogue(language)
    env.install_gettext_callables(found.gettext, found.ngettext, newstyle=True)  # type: ignore[attr-defined]
    env.globals.update(gettext=_singular(found.gettext), _=_singular(found.gettext), ngettext=_plural(found.ngettext))
    env.globals.update(
        asset=assets.asset,
        script=assets.script,
        island=assets.island,
        worker=assets.worker,
        font=assets.font,
        icon_svg=assets.icon_svg,
        here=_page.get,
        join=_join,
        band_of=band,
        unit_of=lambda ucum: unit_of(ucum, _page.get().units),
    )
    env.filters.update(
        asset_of=assets.asset,
        ago=lambda at: written.age(_page.get().now - at, language),
        span=lambda span: written.age(_span(span), language),
        years=lambda birth: written.years(_date(birth), _today(), language),
        day=lambda value: written.day(value, language, _page.get().zone) if value else "–",
        long_day=lambda value: written.long_day(value, language, _page.get().zone),
        weekday=lambda value: written.weekday(value, language, _page.get().zone),
        short_day=lambda value: written.short_day(value, language),
        clock=lambda value: written.clock(value, _page.get().zone),
        when=_when,
        number=lambda value, digits=None: written.number(value, language, digits),
        labelled=labelled,
        deed=lambda action: deed(action, found.gettext),
        words_of=lambda pairs: _words_of(pairs, found.gettext),
        reading_text=_reading_text,
        iso=lambda value: value.isoformat() if value else "",
    )
    return env


def _singular(translate: written.Translator) -> Callable[..., Markup]:
    """gettext for templates. Unlike Jinja's it escapes the text too, since `_(problem.text)` may be anybody's words,
    and puts values in only where some are given, since such words may hold a per cent sign."""

    def gettext(message: str, /, **values: Any) -> Markup:
        said = escape(translate(message))
        return said % values if values else said

    return gettext


def _plural(translate: Callable[[str, str, int], str]) -> Callable[..., Markup]:
    def ngettext(one: str, many: str, num: int, /, **values: Any) -> Markup:
        return escape(translate(one, many, num)) % {"num": num, **values}

    return ngettext


def _when(value: datetime) -> str:
    page = _page.get()
    return written.when(value, page.language, page.zone, page.now, _zone(page.clinic.zone))


def _words_of(pairs: Any, translate: written.Translator) -> list[tuple[str, str]]:
    """(value, msgid) pairs or a mapping, the msgids translated: what select and choices take."""
    return [(key, translate(words)) for key, words in (pairs.items() if hasattr(pairs, "items") else pairs)]


def _reading_text(shown: Any) -> str:
    """A sign's values in the reader's unit: "178/112"."""
    unit = unit_of(shown.sign.ucum, _page.get().units)
    language = _page.get().language
    return "/".join(written.number(unit.show(value), language, unit.digits) for _, value in shown.values[:2])


def _today() -> date:
    page = _page.get()
    return page.now.astimezone(page.zone).date()


def _span(span: timedelta | float) -> timedelta:
    return span if isinstance(span, timedelta) else timedelta(seconds=span)


def _date(value: date | datetime | str | None) -> date | datetime | None:
    """FHIR dates may be a year or a month only: for an age, its first day."""
    if not isinstance(value, str) or not value:
        return value or None
    year, month, first = ([int(p) for p in value[:10].split("-")] + [1, 1])[:3]
    return date(year, month, first)


def _join(*names: str | Iterable[str] | None) -> str:
    """Class names, those that are there."""
    return " ".join(n if isinstance(n, str) else " ".join(n) for n in names if n)
