"""What rooms refuse with: the msgids of every BedsideError that a page may show, read from the sources' syntax trees.

A refusal's message and remedy are msgids with %(name)s in them and values beside them. What is put together at run time
(an f-string, a sum, a call) no catalogue can hold, so it is told as unreadable, with where it stands.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

KINDS = frozenset(
    {"BedsideError", "Invalid", "Unprocessable", "SignInNeeded", "Forbidden", "NotFound", "Gone", "Conflict"}
    | {"PreconditionFailed", "TooLarge", "TooMany", "Unavailable"}
)

NO_PAGE = (
    # Said in the terminal, before there is a page or where none is.
    "app",
    "cli/",
    "foundation/backup/",
    "foundation/engines/",
    "foundation/home.py",
    "foundation/installation.py",
    "foundation/reaching.py",
    "foundation/migrate.py",
    "foundation/steps.py",
    "foundation/turn.py",
    "foundation/doctor.py",
    "demo/",
    # Said to programs in FHIR or OAuth, which are English.
    "access/routes/",
    "access/service/clients.py",
    "access/model/scopes.py",
    "monitoring/routes/",
    "monitoring/settings.py",
    "monitoring/devices/service/sign_in.py",
    "records/routes/",
    "records/model/",
    "records/settings.py",
    "records/service/importing.py",
    "records/service/integrity.py",
    "records/service/patching.py",
    "records/service/transactions.py",
    "records/service/conditional.py",
    "records/service/registry.py",
    "records/service/searching.py",
    "records/service/record.py",
    "records/service/writing.py",
    # Said at the start, of what an installation was told.
    "fhir/",
)
"""Sources whose refusals no page shows."""


@dataclass(frozen=True, slots=True)
class Said:
    """One text of a refusal: its msgid, or None where the source does not hold it whole. at: file:line."""

    msgid: str | None
    at: str


def on_pages(path: Path, source: Path) -> bool:
    """Whether a page may show what this file raises. source: src/bedside."""
    return not path.relative_to(source).as_posix().startswith(NO_PAGE)


def raised(path: Path) -> Iterator[Said]:
    """Every text of a refusal in one file, in its order."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    named = dict(_constants(tree))
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _name(call.func) in KINDS and (call.args or call.keywords):
            remedies = [k.value for k in call.keywords if k.arg == "remedy"]
            for text in [*call.args[:1], *remedies]:
                yield from (Said(found, f"{path}:{call.lineno}") for found in _texts(text, named))


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """NAME = "text" at the head of a file."""
    for line in tree.body:
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str):
            for target in line.targets:
                if isinstance(target, ast.Name):
                    yield target.id, line.value.value


def _texts(text: ast.expr, named: dict[str, str]) -> Iterable[str | None]:
    """The msgids that an argument may be: a literal, one of two, a constant of this file; a name that was marked with
    N_ where it was given its value is read there. None for what is put together at run time."""
    match text:
        case ast.Constant(value=None):
            return []
        case ast.Constant(value=str(found)):
            return [found]
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one, named), *_texts(other, named)]
        case ast.Call(func=ast.Name(id="N_")):
            return []
        case ast.Name(id=name):
            return [named[name]] if name in named else []
        case ast.Attribute():
            return []
        case _:
            return [None]
