"""The steps of the database's history, read from migrations/ without running them: what each does and to which tables.

A step's file says all of it: its docstring's first line is what a person is told; the SQL that stands in it is what
runs. A step that can go back has its SQL in BACK and says in LOSES, by words, how many rows an older Bedside would not
know; one that cannot has no BACK.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from bedside.foundation.errors import Unavailable

Kind = Literal["moment", "read", "index", "rows", "rewritten"]
"""What becomes of a table that is there: `moment`: locked for a moment; `read`: nobody reads or writes while it is read
through; `index`: writes wait while it is read through; `rows`: rows change; `rewritten`: nobody reads or writes."""

ORDER: tuple[Kind, ...] = ("moment", "rows", "index", "read", "rewritten")
NAME = r'(?:only |if exists |if not exists )*"?([a-z_]+\.[a-z_0-9]+)"?'
SAID = {"revision", "down_revision", "branch_labels", "depends_on", "LOSES", "BACK"}
SQL = re.compile(r"(create|alter|drop|insert|update|delete|truncate|do|select|with)\b")
NOTHING = re.compile(
    r"create (or replace )?(schema|function|view|sequence|type|extension)|drop (view|function|index)|alter (index|view)"
    r"|comment on|select pg_get_viewdef"
)
SCANS = re.compile(r"\bcheck \(|\badd (constraint \w+ )?(foreign key|unique|primary key)|\bset not null|\breferences\b")
REWRITES = re.compile(r"\btype \w|\bgenerated always as \(.*\) stored|default (now|clock_timestamp|gen_random_uuid)\(")


@dataclass(frozen=True, slots=True)
class Step:
    """tables: those that it makes. touched: those that must be there before, and what becomes of each.
    unread: statements that this module does not understand, which a test refuses."""

    revision: str
    before: str | None
    title: str
    made: frozenset[str]
    touched: dict[str, Kind]
    unread: tuple[str, ...]
    loses: dict[str, str] | None
    """By words, the SQL that counts what going back would lose; None: it cannot go back."""


def directory() -> Path:
    """migrations/ of the checkout, else the copy packed into the wheel."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_migrations", package.parent.parent / "migrations"):
        if (place / "env.py").exists():
            return place
    raise Unavailable("The migrations are not installed.", remedy="Install Bedside again.")


@cache
def revisions() -> list[str]:
    """Every revision this program knows, oldest first. Read without Alembic, whose import costs a third of a second.

    Raises ValueError when the history is not one line.
    """
    return list(_line())


@cache
def steps() -> list[Step]:
    """Every step, oldest first. Raises ValueError when the history is not one line."""
    return [_read(path) for path in _line().values()]


@cache
def _line() -> dict[str, Path]:
    after: dict[str | None, tuple[str, Path]] = {}
    for path in sorted((directory() / "versions").glob("*.py")):
        text = path.read_text()
        name = re.search(r'^revision(?:: str)? = "([^"]+)"', text, re.MULTILINE)
        down = re.search(r'^down_revision(?:: str \| None)? = (?:None|"([^"]+)")', text, re.MULTILINE)
        if name is None or down is None or down[1] in after:
            raise ValueError(f"{path.name} is not in one line of history")
        after[down[1]] = (name[1], path)
    line: dict[str, Path] = {}
    last: str | None = None
    while (following := after.pop(last, None)) is not None:
        last = following[0]
        line[last] = following[1]
    if after:
        raise ValueError(f"no way from the start to {sorted(name for name, _ in after.values())}")
    return line


def _read(path: Path) -> Step:
    tree = ast.parse(path.read_text())
    said: dict[str, object] = {}
    forward: list[str] = []
    title = (ast.get_docstring(tree) or path.stem).splitlines()[0].rstrip(".")
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id in SAID:
                said[target.id] = ast.literal_eval(node.value)
                continue
        if isinstance(node, ast.FunctionDef) and node.name == "downgrade":
            continue
        docs = {id(each.body[0].value) for each in ast.walk(node) if _documented(each)}  # type: ignore[attr-defined]
        for inner in ast.walk(node):
            if isinstance(inner, ast.Constant) and isinstance(inner.value, str) and id(inner) not in docs:
                forward += statements(inner.value)
    made, touched, unread = judged(forward)
    loses = said.get("LOSES") if "BACK" in said else None
    if "BACK" in said and not isinstance(loses, dict):
        raise ValueError(f"{path.name} goes back and does not say what that loses")
    down = said.get("down_revision")
    return Step(
        revision=str(said["revision"]),
        before=str(down) if down is not None else None,
        title=title,
        made=made,
        touched=touched,
        unread=unread,
        loses=loses if isinstance(loses, dict) else None,
    )


def _documented(node: ast.AST) -> bool:
    body = getattr(node, "body", None)
    first = body[0] if isinstance(body, list) and body else None
    return (
        isinstance(node, ast.FunctionDef | ast.ClassDef)
        and isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
    )


def statements(text: str) -> list[str]:
    """The SQL statements of a string, without comments, bodies and literals; none where it is no SQL."""
    text = re.sub(r"--[^\n]*", "", text)
    text = re.sub(r"\$(\w*)\$.*?\$\1\$", "''", text, flags=re.DOTALL)
    text = re.sub(r"'(?:[^']|'')*'", "''", text)
    found = (" ".join(part.split()).lower() for part in text.split(";"))
    return [each for each in found if SQL.match(each)]


def judged(forward: list[str]) -> tuple[frozenset[str], dict[str, Kind], tuple[str, ...]]:
    """Tables that these statements make, what they do to others, and the statements that are not understood."""
    made: set[str] = set()
    touched: dict[str, Kind] = {}
    unread: list[str] = []

    def touch(table: str, kind: Kind) -> None:
        if table not in made and ORDER.index(kind) >= ORDER.index(touched.get(table, "moment")):
            touched[table] = kind

    for each in forward:
        if found := re.match(rf"create (?:unlogged )?table {NAME}", each):
            made.add(found[1])
        elif found := re.match(rf"alter table {NAME}", each):
            touch(found[1], "rewritten" if REWRITES.search(each) else "read" if SCANS.search(each) else "moment")
        elif found := re.match(rf"create (?:unique )?index (?:concurrently )?[\w ]*? ?on {NAME}", each):
            touch(found[1], "index")
        elif found := re.match(rf"(?:update|delete from|insert into|truncate(?: table)?) {NAME}", each):
            touch(found[1], "rows")
        elif found := re.match(rf"(?:create|drop) trigger .*? on {NAME}|drop table {NAME}", each):
            touch(found[1] or found[2], "moment")
        elif not NOTHING.match(each):
            unread.append(each)
        # A new table that refers to an old one locks it for a moment, against writes.
        for table in re.findall(r"references ([a-z_]+\.[a-z_0-9]+)", each):
            touch(table, "moment")
    return frozenset(made), touched, tuple(unread)
