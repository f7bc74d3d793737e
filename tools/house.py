"""Rules of the house that imports cannot show: who writes which SQL, which subjects, which FHIR types.

    python -m tools.house [ROOT]

Reads the sources under ROOT (default: the working directory) as syntax trees, prints every breach as
`file:line: what`, and exits 1 if there is one. The rules (docs/decisions/0001-the-house.md):

1. SQL stands in a room's store, in foundation or in a migration, nowhere else, and names its own room's schema only.
2. A NATS subject has one publishing room: its first word is that room's name.
3. A FHIR resource type is governed by one room, which alone writes it by records.write_governed.
4. No file is named after nothing (utils, helpers, …), in tests, tools and TypeScript too.
5. What the documents say enforces a rule is there: every path under src, tests, tools, docs that they name exists.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOMS = frozenset(
    {"access", "records", "messaging", "monitoring", "scheduling", "insight", "orders", "prescribing", "visits"}
    | {"imaging", "billing", "learning", "exchange"}
)
SCHEMAS = ROOMS | frozenset({"foundation", "pgqueuer"})
DRAWERS = frozenset({"utils", "helpers", "common", "shared", "misc", "base", "core", "manager"})
OTHERS_WORDS = {"devices": "monitoring", "$SYS": "monitoring"}
"""First words of subjects that are not a room's name, and the room that speaks them: the device wire is a promise,
and NATS's own subjects are asked for devices alone."""

# A statement begins its string, in one case: prose ("Select a patient") begins otherwise.
STATEMENT = re.compile(
    r"""\s*(?:
        select\s(?=.*(?:\bfrom\b|\(|\d)) | with\s+(?:recursive\s+)?\w+\s+as\s | insert\s+into\s | delete\s+from\s
        | update\s+[\w.{}]+\s+(?:\w+\s+)?set\s | merge\s+into\s | alter\s+table\s | drop\s+(?:table|view|index)\s
        | create\s+(?:table|unique|index|schema|view|function|trigger|type|or\s+replace|temp)\s
        | truncate\s+(?:table\s+)?\w+\.\w+ | lock\s+table\s
    )""",
    re.VERBOSE | re.DOTALL,
)
CLAUSE = re.compile(r"\b(?:select|from|join|into|update|table|view|references|where|on|call)\s", re.IGNORECASE)
QUALIFIED = re.compile(r"(?<![\w.'\"])([a-z_]+)\.([a-z_]+)", re.IGNORECASE)

NAMED = re.compile(r"\b(?:src|tests|tools|docs|migrations|bench)/[\w/.-]*\w\.(?:py|md|ts|html)\b")


@dataclass(frozen=True, order=True)
class Breach:
    """One broken rule, at one line."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Source:
    """A Python file and where it stands. room: the first word under bedside, 'foundation' and tiers included."""

    file: str
    room: str
    inside: tuple[str, ...]
    tree: ast.Module


def sources(root: Path) -> Iterator[Source]:
    """Every module of the product."""
    package = root / "src" / "bedside"
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        yield Source(str(path.relative_to(root)), parts[0], parts[1:], ast.parse(path.read_text()))


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The string literals, f-strings as one text with `{}` for what is filled in; docstrings left out."""
    silent: set[int] = set()
    for node in ast.walk(tree):
        # A string that stands as a statement is documentation: of a module, class, function or of the name above it.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(id(node.value))
        if isinstance(node, ast.JoinedStr):
            silent.update(id(child) for child in ast.walk(node) if child is not node)
    for node in ast.walk(tree):
        if id(node) in silent:
            continue
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, filled(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def filled(node: ast.JoinedStr) -> str:
    """An f-string's own words, with `{}` for each value."""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)


def is_statement(text: str) -> bool:
    """Whether the text is an SQL statement: it begins like one, all lower or all upper case."""
    return any(STATEMENT.match(variant) for variant in (text, _lowered(text)))


def _lowered(text: str) -> str:
    words = text.split(None, 1)
    return text.lower() if words and words[0].isupper() else text


def foreign_schemas(text: str, own: frozenset[str]) -> list[str]:
    """The tables of other rooms that an SQL text names."""
    if not CLAUSE.search(text):
        return []
    return [
        f"{schema}.{table}"
        for schema, table in QUALIFIED.findall(text)
        if schema.lower() in SCHEMAS and schema.lower() not in own
    ]


def check_sql(source: Source) -> Iterator[Breach]:
    """Rule 1 in the product's modules."""
    in_store = "store" in source.inside
    for line, text in texts(source.tree):
        if not in_store and source.room != "foundation":
            if is_statement(text):
                yield Breach(source.file, line, "SQL outside a store: move it into the room's store")
            continue
        own = frozenset({"foundation", "pgqueuer"}) if source.room == "foundation" else frozenset({source.room})
        for name in foreign_schemas(text, own):
            yield Breach(source.file, line, f"{source.room} names {name}: ask that room's face")


def check_migrations(root: Path) -> Iterator[Breach]:
    """Rule 1 in the migrations NNNN_room.py; the first one, foundation's, makes every schema."""
    for path in sorted((root / "migrations" / "versions").glob("*.py")):
        room = re.sub(r"^\d+_", "", path.stem).split("_")[0]
        own = SCHEMAS if room == "foundation" else frozenset({room})
        for line, text in texts(ast.parse(path.read_text())):
            for name in foreign_schemas(text, own):
                yield Breach(str(path.relative_to(root)), line, f"{room}'s migration names {name}")


class Subjects:
    """Finds the first word of what is published, through constants and functions that the rooms keep for it."""

    def __init__(self, found: list[Source]) -> None:
        self.words: dict[str, str] = {}
        for source in found:
            for node in source.tree.body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    self._learn(node.targets[0].id, node.value)
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
                    self._learn(node.target.id, node.value)
                elif isinstance(node, ast.FunctionDef):
                    for inner in ast.walk(node):
                        if isinstance(inner, ast.Return) and inner.value:
                            self._learn(node.name, inner.value)

    def _learn(self, name: str, value: ast.expr) -> None:
        word = self.first_word(value)
        if word:
            self.words[name] = word

    def first_word(self, node: ast.expr) -> str | None:
        """The literal word before the first dot, or None when it cannot be read off the source."""
        match node:
            case ast.Constant(value=str(text)):
                return text.partition(".")[0]
            case ast.JoinedStr(values=[ast.FormattedValue(value=inner), *_]):
                return self.first_word(inner)
            case ast.JoinedStr():
                word = filled(node).partition(".")[0]
                return None if "{" in word else word
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return self.words.get(name)
            case ast.Call(func=ast.Attribute(value=inner, attr="format")):
                return self.first_word(inner)
            case ast.Call(func=ast.Name(id=name)) | ast.Call(func=ast.Attribute(attr=name)):
                return self.words.get(name)
            case ast.BinOp(left=left):
                return self.first_word(left)
        return None


def check_subjects(source: Source, subjects: Subjects) -> Iterator[Breach]:
    """Rule 2. foundation carries subjects and speaks none; the demo's devices speak MQTT, as anyone's do."""
    if source.room in {"foundation", "demo"}:
        return
    local = Subjects([source])
    local.words = {**subjects.words, **local.words}
    for node in ast.walk(source.tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "publish"):
            continue
        if not node.args:
            continue
        word = local.first_word(node.args[0])
        if word is None:
            yield Breach(source.file, node.lineno, f"say the subject's first word here: '{source.room}.…'")
        elif OTHERS_WORDS.get(word, word) != source.room:
            yield Breach(source.file, node.lineno, f"{source.room} publishes '{word}.…', the subject of another room")


def check_governed(found: list[Source]) -> Iterator[Breach]:
    """Rule 3, where a room says Governed(type, room, …) and where it writes."""
    owners: dict[str, tuple[str, str]] = {}
    for source in found:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if name == "Governed":
                kind = _literal(node.args[0] if node.args else given.get("type"))
                room = _literal(node.args[1] if len(node.args) > 1 else given.get("room")) or source.room
                where = f"{source.file}:{node.lineno}"
                if kind and owners.setdefault(kind, (room, where))[0] != room:
                    other, place = owners[kind]
                    yield Breach(source.file, node.lineno, f"{kind} is governed by {other} already ({place})")
            if name == "write_governed" and source.room != "records":
                writer = _literal(given.get("room"))
                if writer and writer != source.room:
                    yield Breach(source.file, node.lineno, f"{source.room} writes what {writer} governs: call its face")


def _literal(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def check_names(root: Path) -> Iterator[Breach]:
    """Rule 4."""
    for folder in ("src", "tests", "tools", "bench", "migrations"):
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in {".py", ".ts"} and path.name.split(".")[0] in DRAWERS:
                yield Breach(str(path.relative_to(root)), 1, "name it after what it holds")


def check_documents(root: Path) -> Iterator[Breach]:
    """Rule 5, in the hazards, the decisions and the rest of docs."""
    for path in sorted((root / "docs").rglob("*.md")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            for named in NAMED.findall(line):
                if not (root / named).exists():
                    yield Breach(str(path.relative_to(root)), number, f"names {named}, which is not there")


def breaches(root: Path) -> list[Breach]:
    """Every breach under root, in order."""
    found = list(sources(root))
    subjects = Subjects(found)
    lines = [*check_migrations(root), *check_governed(found), *check_names(root), *check_documents(root)]
    for source in found:
        lines += [*check_sql(source), *check_subjects(source, subjects)]
    return sorted(lines)


def main() -> int:
    """Print what is broken; 1 if anything is."""
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = breaches(root)
    for breach in found:
        print(breach)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
