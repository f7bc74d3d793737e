"""The contract types of .importlinter that import-linter does not bring itself.

Each says one rule of the house (docs/decisions/0001-the-house.md) over grimp's graph of imports; lint-imports runs
them. A room that is listed and not built yet breaks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output
from importlinter.api import read_configuration

ROOT = "bedside"
OPEN_TO_ALL = frozenset({"events"})
"""What of a room, besides the room itself, everybody may import."""
FOR_APP = frozenset({"routes", "subscribers", "settings"})


class Listing(Contract):
    """A contract whose findings are plain lines. Subclasses yield them; no line means kept."""

    def findings(self, graph: ImportGraph) -> Iterable[str]:
        """The broken places, one line each."""
        raise NotImplementedError

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, RUF100 - import-linter's signature
        lines = sorted(self.findings(graph))
        return ContractCheck(kept=not lines, metadata={"lines": lines})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for line in check.metadata["lines"]:
            output.print_error(f"- {line}", bold=False)
        output.new_line()


class FacesContract(Listing):
    """A room is entered by its face, its events or (from another room's testing) its testing.

    Only app takes routes, subscribers and settings. From inside, nobody imports the room's own face: that is a circle.

    rooms: the names directly under bedside that are rooms.
    """

    rooms = fields.ListField(subfield=fields.StringField())

    def findings(self, graph: ImportGraph) -> Iterable[str]:
        for room in cast("list[str]", self.rooms):
            face = f"{ROOT}.{room}"
            if face not in graph.modules:
                continue
            for module in {face} | graph.find_descendants(face):
                for importer in graph.find_modules_that_directly_import(module):
                    why = self._refused(importer, module, face)
                    if why:
                        yield f"{_where(graph, importer, module)}: {why}"

    @staticmethod
    def _refused(importer: str, module: str, face: str) -> str | None:
        part = module.removeprefix(face).strip(".").partition(".")[0]
        room = face.removeprefix(f"{ROOT}.")
        if importer == face:
            return None
        if importer.startswith(f"{face}."):
            if part == "" and not _in(importer, f"{face}.testing"):
                return f"a module inside {room} imports the room's own face"
            return None
        if part == "" or part in OPEN_TO_ALL:
            return None
        if part in FOR_APP:
            return None if _in(importer, f"{ROOT}.app") else f"only app takes {room}.{part}"
        if part == "testing":
            pieces = importer.split(".")
            return None if pieces[2:3] == ["testing"] else f"{room}.testing is for tests and other rooms' testing"
        return f"{room} is entered by its face, not by {module.removeprefix(f'{ROOT}.')}"


class NamesContract(Listing):
    """No module carries a name that says nothing, anywhere in the tree.

    forbidden_names: the names.
    """

    forbidden_names = fields.SetField(subfield=fields.StringField())

    def findings(self, graph: ImportGraph) -> Iterable[str]:
        forbidden = cast("set[str]", self.forbidden_names)
        for module in graph.modules:
            if _in(module, ROOT) and module.rpartition(".")[2] in forbidden:
                yield f"{module}: name it after what it holds"


class PlacedContract(Listing):
    """Every package under bedside is a tier or a listed room, and every module of a room is one of a room's parts.

    So nothing can stand outside the contracts that guard faces and insides.

    not_rooms: the tiers. parts: what a room may hold. subrooms: "room: name name …", rooms within a room, which hold
    the same parts.
    """

    not_rooms = fields.SetField(subfield=fields.StringField())
    parts = fields.SetField(subfield=fields.StringField())
    subrooms = fields.SetField(subfield=fields.StringField(), required=False)

    def findings(self, graph: ImportGraph) -> Iterable[str]:
        parts = cast("set[str]", self.parts)
        rooms = self._listed_rooms()
        within = dict(self._within())
        for child in graph.find_children(ROOT):
            name = child.rpartition(".")[2]
            if name in cast("set[str]", self.not_rooms):
                continue
            if name not in rooms:
                yield f"{child}: neither a tier nor in the rooms of a 'faces' contract"
                continue
            yield from self._strays(graph, child, parts | within.get(name, set()))
            for subroom in within.get(name, set()):
                if f"{child}.{subroom}" in graph.modules:
                    yield from self._strays(graph, f"{child}.{subroom}", parts)

    @staticmethod
    def _strays(graph: ImportGraph, room: str, parts: set[str]) -> Iterable[str]:
        for child in graph.find_children(room):
            if child.rpartition(".")[2] not in parts:
                yield f"{child}: a room holds only {', '.join(sorted(parts))}; move it into one of them"

    def _within(self) -> Iterable[tuple[str, set[str]]]:
        for line in cast("set[str] | None", self.subrooms) or set():
            room, _, names = line.partition(":")
            yield room.strip(), set(names.split())

    @staticmethod
    def _listed_rooms() -> set[str]:
        contracts: list[dict[str, Any]] = read_configuration()["contracts_options"]
        return {room for contract in contracts if contract["type"] == "faces" for room in contract["rooms"]}


def _in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def _where(graph: ImportGraph, importer: str, imported: str) -> str:
    details = graph.get_import_details(importer=importer, imported=imported)
    lines = ", ".join(str(detail["line_number"]) for detail in details)
    return f"{importer} -> {imported} (line {lines})"
