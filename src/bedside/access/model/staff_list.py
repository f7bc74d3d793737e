"""A list of staff from a spreadsheet: read, and checked row by row. Pure; what is here already is asked elsewhere."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal, get_args

from bedside.access.model.people import STAFF
from bedside.foundation.errors import Invalid

REQUIRED = ("name", "email", "role")
COLUMNS = (
    *REQUIRED,
    "phone",
    "language",
    "place",
    "step",
    "licence_place",
    "licence_number",
    "licence_kind",
    "licence_from",
    "licence_until",
    "licence_source",
)
MOST = 2000
"""Rows."""
LARGEST = 1_000_000
"""Bytes."""
STEPS = range(1, 10)

LicenceKind = Literal["full", "compact-licence", "compact-privilege", "telehealth-registration", "exception"]
EXAMPLE = (
    "Ana Ruiz,ana@clinic.example,clinician,+34 600 000 001,es,,2,ES,282800001,full,2020-01-01,2027-12-31,the register",
    "Tom Berg,tom@clinic.example,nurse,,en,,1,,,,,,",
)
LONGEST = 80
"""Characters of a name."""
_PLACE = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_DOTS = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_STROKES = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})")
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
"""How .xlsx, .ods and .xls files begin."""
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+?\d+", re.IGNORECASE)
"""What a spreadsheet makes of a long number: its last digits are gone."""


@dataclass(frozen=True, slots=True)
class HeldLicence:
    """As the list says it: see Licence."""

    jurisdiction: str
    number: str
    kind: LicenceKind
    since: date
    until: date
    source: str


@dataclass(frozen=True, slots=True)
class Row:
    """line: of the file, the header being 1. faults: what is wrong, each with its column in `where`."""

    line: int
    name: str
    email: str
    roles: frozenset[str]
    phone: str | None = None
    language: str | None = None
    place: str = ""
    step: int = 1
    licence: HeldLicence | None = None
    faults: tuple[Invalid, ...] = field(default=())


def template() -> str:
    """A list to fill in, with two invented people. A byte order mark lets spreadsheets read it as UTF-8."""
    lines = [",".join(COLUMNS), *EXAMPLE]
    return "\ufeff" + "\r\n".join(lines) + "\r\n"


def read(data: bytes) -> list[Row]:
    """The rows of a CSV file: UTF-8, commas, semicolons or tabs, a header of COLUMNS in any order.

    Raises Invalid where the file as a whole cannot be read; what is wrong with one row is among its faults.
    """
    if len(data) > LARGEST:
        raise Invalid("The file is larger than 1 MB.", where="file", remedy="Send it in parts.")
    text, delimiter = _said(_text(data))
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    except csv.Error:
        raise Invalid("The file is no CSV list.", where="file", remedy="Fill in the template.") from None
    if not lines:
        raise Invalid("The file is empty.", where="file", remedy="Fill in the template.")
    header = ["_".join(cell.split()).lower() for cell in lines[0]]
    if unknown := [cell for cell in header if cell and cell not in COLUMNS]:
        raise Invalid(
            "The first line names a column that is not known: %(column)s.",
            where="file",
            column=unknown[0],
            remedy="Its columns are: %(columns)s.",
            columns=", ".join(COLUMNS),
        )
    if missing := [name for name in REQUIRED if name not in header]:
        raise Invalid(
            "The first line lacks the column %(column)s.",
            where="file",
            column=missing[0],
            remedy="Its columns are: %(columns)s.",
            columns=", ".join(COLUMNS),
        )
    filled = [(n, cells) for n, cells in enumerate(lines[1:], 2) if any(cell.strip() for cell in cells)]
    if not filled:
        raise Invalid("There is nobody in this file.", where="file", remedy="Fill in the template.")
    if len(filled) > MOST:
        raise Invalid("The file has more than %(most)s rows.", where="file", most=MOST, remedy="Send it in parts.")
    seen: dict[str, int] = {}
    return [_row(n, dict(zip(header, (" ".join(c.split()) for c in cells), strict=False)), seen) for n, cells in filled]


def _text(data: bytes) -> str:
    if data.startswith(_WORKBOOKS):
        raise Invalid(
            "This is a workbook of a spreadsheet, and not yet a list.",
            where="file",
            remedy="Save it in the spreadsheet as “CSV UTF-8”, and send it again.",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise Invalid(
            "The file is not written in UTF-8, so its accents cannot be told apart.",
            where="file",
            remedy="Save it in the spreadsheet as “CSV UTF-8”, and send it again.",
        )
    return text


def _said(text: str) -> tuple[str, str]:
    """The list and what stands between its columns; some spreadsheets say that in a line of its own: sep=;"""
    first, _, rest = text.partition("\n")
    if found := re.fullmatch(r'"?sep=([,;\t])"?', first.strip(), re.IGNORECASE):
        return rest, found[1]
    try:
        return text, csv.Sniffer().sniff(first, delimiters=",;\t").delimiter
    except csv.Error:
        return text, ","


def check_name(text: str) -> str:
    """A colleague's name as it is kept. Raises Invalid."""
    name = " ".join(text.split())
    if not 1 <= len(name) <= LONGEST:
        raise Invalid("Write the name, in 80 characters at most.", where="name")
    return name


def check_email(text: str) -> str:
    """An e-mail address as it is kept. Raises Invalid."""
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s.]+", text.strip()):
        raise Invalid("This is no e-mail address.", where="email", remedy="Write it as ana@clinic.example.")
    return text.strip()


def day_of(text: str) -> date:
    """A day with the year first, or as spreadsheets write it back: 31.12.2027, and 31/12/2027 or 12/31/2027 where only
    one of the two can be a day. Raises ValueError."""
    if dots := _DOTS.fullmatch(text):
        return date(int(dots[3]), int(dots[2]), int(dots[1]))
    if strokes := _STROKES.fullmatch(text):
        one, other, year = (int(part) for part in strokes.groups())
        if one != other and one <= 12 and other <= 12:
            raise ValueError("two days")
        return date(year, other, one) if other <= 12 else date(year, one, other)
    return date.fromisoformat(text)


def _row(line: int, cells: Mapping[str, str], seen: dict[str, int]) -> Row:
    faults: list[Invalid] = []
    name, email = cells.get("name", ""), cells.get("email", "")
    try:
        check_name(name)
    except Invalid as error:
        faults.append(error)
    try:
        check_email(email)
        if (earlier := seen.setdefault(email.casefold(), line)) != line:
            faults.append(Invalid("Line %(line)s has this e-mail already.", where="email", line=earlier))
    except Invalid as error:
        faults.append(error)
    roles = frozenset(one.strip().lower() for one in cells.get("role", "").split("+") if one.strip())
    if not roles or roles - STAFF:
        faults.append(
            Invalid(
                "There is no such role.",
                where="role",
                remedy="One of: %(roles)s; two with a plus between.",
                roles=", ".join(sorted(STAFF)),
            )
        )
    phone = cells.get("phone", "")
    if _SHORTENED.fullmatch(phone):
        faults.append(_shortened("phone"))
    elif phone and (not re.fullmatch(r"\+?[\d ()-]+", phone) or sum(c.isdigit() for c in phone) < 5):
        faults.append(
            Invalid("This is no telephone number.", where="phone", remedy="Digits, spaces and a plus: +34 910 000 000.")
        )
    language = cells.get("language", "").lower()
    if language and not re.fullmatch("[a-z]{2}", language):
        faults.append(
            Invalid("A language is written as two letters.", where="language", remedy="Write it as en or es.")
        )
    step = cells.get("step", "") or "1"
    if not (step.isascii() and step.isdigit() and int(step) in STEPS):
        faults.append(Invalid("A step is a number from 1 to %(most)s.", where="step", most=STEPS[-1]))
        step = "1"
    licence = _licence(cells, faults)
    return Row(
        line,
        name,
        email,
        roles,
        "".join(c for c in phone if c.isdigit() or c == "+") or None,
        language or None,
        cells.get("place", ""),
        int(step),
        licence,
        tuple(faults),
    )


def _shortened(column: str) -> Invalid:
    return Invalid(
        "The spreadsheet has shortened this number, and its last digits are gone.",
        where=column,
        remedy="Make the column's format text there, and type the number again.",
    )


def licence_of(cells: Mapping[str, str]) -> HeldLicence:
    """A licence alone, its fields named as the columns. Raises Invalid for the first that is wrong."""
    faults: list[Invalid] = []
    found = _licence(cells, faults)
    if found is None:
        raise faults[0] if faults else Invalid("Write the country or state of the licence.", where="licence_place")
    return found


def _licence(cells: Mapping[str, str], faults: list[Invalid]) -> HeldLicence | None:
    given = {name: cells.get(f"licence_{name}", "") for name in ("place", "number", "kind", "from", "until", "source")}
    if not any(given.values()):
        return None
    before = len(faults)
    place = given["place"].upper()
    if not _PLACE.fullmatch(place):
        faults.append(
            Invalid(
                "This is no country or state of a licence.", where="licence_place", remedy="Write it as ES or US-NY."
            )
        )
    faults += [
        Invalid("A licence needs its number, its days, and where you checked it.", where=f"licence_{name}")
        for name in ("number", "source")
        if not given[name]
    ]
    if _SHORTENED.fullmatch(given["number"]):
        faults.append(_shortened("licence_number"))
    kind = next((one for one in get_args(LicenceKind) if one == (given["kind"].lower() or "full")), None)
    if kind is None:
        kinds = ", ".join(get_args(LicenceKind))
        faults.append(
            Invalid("There is no such kind of licence.", where="licence_kind", remedy="One of: %(kinds)s.", kinds=kinds)
        )
    days = {}
    for name in ("from", "until"):
        try:
            days[name] = day_of(given[name])
        except ValueError:
            two = (found := _STROKES.fullmatch(given[name])) and max(int(found[1]), int(found[2])) <= 12
            faults.append(
                Invalid(
                    "This may be two days." if two else "This is no day.",
                    where=f"licence_{name}",
                    remedy="Write it as 31.12.2027, or with the year first: 2027-12-31.",
                )
            )
    if len(days) == 2 and days["until"] < days["from"]:
        faults.append(Invalid("It ends before it begins.", where="licence_until"))
    if len(faults) > before or kind is None:
        return None
    return HeldLicence(place, given["number"], kind, days["from"], days["until"], given["source"])
