"""How times, ages, dates and numbers are written, in the reader's language and zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, get_timezone_location, get_timezone_name
from babel.numbers import format_decimal

from bedside.web.kit.languages import catalogue

Translator = Callable[[str], str]


def translator(language: str) -> Translator:
    """gettext for a language: for text that is put together in Python."""
    return catalogue(language).gettext


def age(span: timedelta, language: str) -> str:
    """How long ago, short: "12 s", "5 min", "3 h", "2 days". Under zero (a clock ahead of ours) is "just now"."""
    words = catalogue(language)
    seconds = int(span.total_seconds())
    if seconds < 5:
        return words.gettext("just now")
    if seconds < 60:
        return words.gettext("%(n)s s ago") % {"n": seconds}
    if seconds < 3600:
        return words.gettext("%(n)s min ago") % {"n": seconds // 60}
    if seconds < 48 * 3600:
        return words.gettext("%(n)s h ago") % {"n": seconds // 3600}
    days = seconds // 86400
    if days < 60:
        return words.ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    months = days // 30
    if months < 24:
        return words.ngettext("%(n)s month ago", "%(n)s months ago", months) % {"n": months}
    years = days // 365
    return words.ngettext("%(n)s year ago", "%(n)s years ago", years) % {"n": years}


def age_words(language: str) -> dict[str, str]:
    """The words of `age` up to sixty days, for islands that go on counting (kit/age.ts)."""
    words = catalogue(language)
    found = {"now": words.gettext("just now"), "s": words.gettext("%(n)s s ago"), "min": words.gettext("%(n)s min ago")}
    return found | {"h": words.gettext("%(n)s h ago"), "d": words.ngettext("%(n)s day ago", "%(n)s days ago", 2)}


def years(birth: date | None, today: date, language: str) -> str:
    """A person's age: days under a month, months under two years, else years; "" when the birth date is unknown."""
    if birth is None:
        return ""
    words = catalogue(language)
    months = (today.year - birth.year) * 12 + today.month - birth.month - (today.day < birth.day)
    if months < 1:
        n = (today - birth).days
        return words.ngettext("%(n)s day", "%(n)s days", n) % {"n": n}
    if months < 24:
        return words.ngettext("%(n)s month", "%(n)s months", months) % {"n": months}
    n = months // 12
    return words.ngettext("%(n)s year", "%(n)s years", n) % {"n": n}


def day(value: date | datetime | str, language: str, zone: ZoneInfo) -> str:
    """A date that cannot be misread: "3 Jan 2026". A FHIR date text keeps its precision: "Jan 2026", "2026"."""
    pattern = "d MMM y"
    if isinstance(value, str):
        if "T" in value:
            value = datetime.fromisoformat(value.replace("Z", "+00:00"))
        else:
            pattern = {4: "y", 7: "MMM y"}.get(len(value), pattern)
            value = date.fromisoformat((value + "-01-01")[:10])
    there = value.astimezone(zone).date() if isinstance(value, datetime) else value
    return str(format_date(there, pattern, locale=language))


def long_day(value: datetime, language: str, zone: ZoneInfo) -> str:
    """A date in full: "Saturday 21 November"."""
    pattern = "EEEE d MMMM" if language != "es" else "EEEE d 'de' MMMM"
    return str(format_date(value.astimezone(zone).date(), pattern, locale=language))


def weekday(value: datetime, language: str, zone: ZoneInfo) -> str:
    """The day of the week, short: "Sat"."""
    return str(format_date(value.astimezone(zone).date(), "EEE", locale=language))


def short_day(value: date, language: str) -> str:
    """A day of these weeks: "Sat 21 Nov"."""
    return str(format_date(value, "EEE d MMM", locale=language))


def clock(value: datetime, zone: ZoneInfo) -> str:
    """The time of day, 24 hours: "14:30"."""
    return value.astimezone(zone).strftime("%H:%M")


def when(value: datetime, language: str, zone: ZoneInfo, now: datetime, other: ZoneInfo | None = None) -> str:
    """Day and time: "today 14:30", "yesterday 08:05", "3 Jan 07:40", "3 Jan 2024 07:40".

    other: another zone concerned (the clinic's, when the reader lives elsewhere); where the two clocks differ then,
    the zone is named.
    """
    words = catalogue(language)
    there = value.astimezone(zone)
    days = (there.date() - now.astimezone(zone).date()).days
    near = {0: words.gettext("today"), -1: words.gettext("yesterday"), 1: words.gettext("tomorrow")}
    if days in near:
        first = near[days]
    elif there.year == now.astimezone(zone).year:
        first = str(format_skeleton("MMMd", there, locale=language)) if language != "en" else f"{there:%-d %b}"
    else:
        first = day(value, language, zone)
    said = f"{first} {there:%H:%M}"
    if other is not None and there.utcoffset() != value.astimezone(other).utcoffset():
        said += f" {_zone(there, language)}"
    return said


def _zone(there: datetime, language: str) -> str:
    """A zone as people know it: its short name ("EST"), else the place whose clock it is ("(Canary)"); "+0000" is what
    few can read."""
    short = str(get_timezone_name(there, width="short", locale=Locale(language)))
    return short if short.isalpha() else f"({get_timezone_location(there, locale=Locale(language), return_city=True)})"


def number(value: float | None, language: str, digits: int | None = None) -> str:
    """A number as it is read: at most `digits` decimals (2 when None), no grouping, "–" for none."""
    if value is None:
        return "–"
    pattern = "0." + "#" * (2 if digits is None else digits) if digits != 0 else "0"
    shown = round(value, 2 if digits is None else digits) + 0.0  # what rounds to zero has no sign
    return str(format_decimal(shown, pattern, locale=language))
