"""The words of the pages: extract msgids, update the Spanish catalogues, compile them.

    python -m tools.messages            extract, update web/locale/es/*.po, compile, list what is untranslated
    python -m tools.messages --compile  compile only (make setup)
    python -m tools.messages --fill F   the first, with translations from the JSON file F: {msgid: text or [one, many]}
    python -m tools.messages --check    the same as the first, but change nothing and fail when something is missing

One .po for each journey and room (kit.po, patient.po, monitoring.po …), sorted and without line numbers, so that
two people adding words to two journeys never meet in one file. A msgid that another catalogue has already translated
is not asked again. Marked: _("…") and gettext calls in templates and Python, N_("…") where it is only written down, and
without a mark what rooms refuse with (tools/raised.py), since pages say it in the reader's language, and the words of
clinical tables that pages show (TABLES).
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tools.raised import on_pages, raised

SOURCE = Path(__file__).parent.parent / "src" / "bedside"
LOCALE = SOURCE / "web" / "locale"
LANGUAGE = "es"
KEYWORDS = {
    "_": None,
    "N_": None,
    # What access.work is told was done: a patient reads it on "who looked at my record".
    "work": (2,),
    "_patient": (2,),
    "Operation": (4,),
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
TABLES = {
    "formulary.toml": frozenset({"ingredients", "classes", "form"}),
    "interactions.toml": frozenset({"name", "caution", "severity", "effect"}),
    "limits.toml": frozenset({"source"}),
    "programmes.toml": frozenset({"source"}),
}
"""Tables whose rows stand on pages, and the fields of a row that are words. Medicines keep the names on their boxes."""
HEADER = "# Spanish words of Bedside. Filled by hand after python -m tools.messages.\n"


def areas() -> dict[str, list[Path]]:
    """Each catalogue's name and the files it is made from: a journey of web, or a room."""
    found: dict[str, list[Path]] = {}
    for path in sorted(SOURCE.rglob("*")):
        if path.suffix not in {".py", ".html"} and path.name not in TABLES:
            continue
        if path.name == "testing.py" or {"static", "data"} & set(path.parts):
            continue
        parts = path.relative_to(SOURCE).parts
        area = parts[1] if parts[0] == "web" and len(parts) > 2 else parts[0]
        area = area.removesuffix(".py")
        found.setdefault(area, []).append(path)
    return found


def messages(paths: list[Path]) -> Iterator[tuple[str | tuple[str, ...], str | None]]:
    """(msgid or its singular and plural, context) of each marked text."""
    for path in paths:
        if path.name in TABLES:
            yield from ((word, None) for word in tabled(path))
            continue
        method = "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"
        options = (
            {"trimmed": "true", "silent": "false", "extensions": "jinja2.ext.do"} if path.suffix == ".html" else {}
        )
        for _line, found, _comments, context in extract_from_file(method, path, KEYWORDS, options=options):
            yield found, context
        if path.suffix == ".py" and on_pages(path, SOURCE):
            yield from ((said.msgid, None) for said in raised(path) if said.msgid)


def tabled(path: Path) -> Iterator[str]:
    """The words of a table that TABLES names, in their order."""
    for rows in tomllib.loads(path.read_text(encoding="utf-8")).values():
        for row in rows if isinstance(rows, list) and rows and isinstance(rows[0], dict) else ():
            for field in row:
                if field in TABLES[path.name]:
                    yield from [row[field]] if isinstance(row[field], str) else row[field]


def unreadable() -> list[str]:
    """Where a refusal is put together at run time, so that no catalogue can hold it."""
    files = [path for paths in areas().values() for path in paths if path.suffix == ".py" and on_pages(path, SOURCE)]
    return [said.at for path in files for said in raised(path) if said.msgid is None]


def load(path: Path) -> Catalog:
    """A .po as it stands, or an empty one."""
    if not path.exists():
        return Catalog(locale=LANGUAGE)
    with path.open("rb") as file:
        return read_po(file, locale=LANGUAGE)


Text = str | Sequence[str]


def key(msgid: Text) -> str:
    """What gettext looks it up by."""
    return msgid if isinstance(msgid, str) else msgid[0]


def done(string: Text | None) -> bool:
    """Whether a translation says something in each of its forms."""
    return bool(string) and (isinstance(string, str) or all(string or ()))


def update(fill: dict[str, str | list[str]]) -> tuple[dict[str, Catalog], list[str]]:
    """Every area's catalogue as it should be, and what is still untranslated in them. fill: new translations."""
    old = {path.stem: load(path) for path in sorted((LOCALE / LANGUAGE).glob("*.po"))}
    known: dict[tuple[str, str | None], tuple[str, Text]] = {}
    for name, catalogue in sorted(old.items(), key=lambda item: item[0] != "kit"):
        for message in catalogue:
            if message.id and message.string and done(message.string):
                known.setdefault((key(message.id), message.context), (name, message.string))
    new: dict[str, Catalog] = {}
    missing: list[str] = []
    for area, paths in areas().items():
        catalogue = Catalog(locale=LANGUAGE, header_comment=HEADER, fuzzy=False)
        for msgid, context in messages(paths):
            where = (key(msgid), context)
            mine = old[area].get(key(msgid), context) if area in old else None
            if mine is not None and done(mine.string):
                catalogue.add(msgid, mine.string, context=context)
            elif where not in known or known[where][0] == area:
                given = fill.get(key(msgid))
                found = given or (known[where][1] if where in known else None)
                catalogue.add(
                    msgid, found if found is None or isinstance(found, str) else tuple(found), context=context
                )
        if len(catalogue):
            new[area] = catalogue
            missing += [f"{area}: {key(m.id)!r}" for m in catalogue if m.id and not done(m.string)]
    return new, missing


def write(catalogues: dict[str, Catalog]) -> None:
    """The .po files, in an order and form that two writers make alike."""
    folder = LOCALE / LANGUAGE
    folder.mkdir(parents=True, exist_ok=True)
    for area, catalogue in catalogues.items():
        with (folder / f"{area}.po").open("wb") as file:
            file.write(f'# Bedside, {area}: Spanish.\nmsgid ""\nmsgstr ""\n'.encode())
            file.write(b'"Content-Type: text/plain; charset=utf-8\\n"\n')
            file.write(f'"Language: {LANGUAGE}\\n"\n'.encode())
            file.write(b'"Plural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n')
            write_po(file, catalogue, width=10_000, no_location=True, omit_header=True, sort_output=True)
    for path in folder.glob("*.po"):
        if path.stem not in catalogues:
            path.unlink()


def compile_all() -> Path:
    """One bedside.mo of all catalogues: the one the pages read."""
    merged = Catalog(locale=LANGUAGE)
    for path in sorted((LOCALE / LANGUAGE).glob("*.po")):
        for message in load(path):
            if message.id and done(message.string) and merged.get(key(message.id), message.context) is None:
                merged.add(message.id, message.string, context=message.context)
    target = LOCALE / LANGUAGE / "LC_MESSAGES" / "bedside.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        write_mo(file, merged)
    return target


def main() -> int:
    """See the module."""
    if "--compile" in sys.argv:
        print(f"compiled {compile_all()}")
        return 0
    fill = json.loads(Path(sys.argv[sys.argv.index("--fill") + 1]).read_text()) if "--fill" in sys.argv else {}
    catalogues, missing = update(fill)
    if "--check" not in sys.argv:
        write(catalogues)
        compile_all()
    for where in unreadable():
        missing.append(f"{where}: a refusal is one msgid with %(name)s in it, and the values beside it")
    for line in missing:
        print(f"untranslated {line}")
    print(f"{sum(len(c) for c in catalogues.values())} messages, {len(missing)} untranslated")
    return 1 if missing and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
