"""A statement in the making: its arguments, and who may be seen in what it looks into."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from bedside.fhir.grammar import DateValue
from bedside.records.model import rows
from bedside.records.model.provider import ReadProvider


class Sight(NamedTuple):
    """What may be seen of a type. patients: the ids of those whose resources may; None for everyone's. outside: whether
    also what names no patient."""

    patients: Sequence[str] | None
    outside: bool

    @property
    def all(self) -> bool:
        """Whether nothing is hidden."""
        return self.patients is None and self.outside


class Statement:
    """Arguments of a statement; $1 is the tenant.

    sights: of each type that a chain, `_has` or `_list` leads into; a type that is not there cannot be looked into.
    """

    def __init__(
        self,
        tenant: int,
        sights: Mapping[str, Sight] | None = None,
        providers: Callable[[str], Sequence[ReadProvider]] = lambda _: (),
    ) -> None:
        self.arguments: list[Any] = [tenant]
        self.sights = sights or {}
        self.providers = providers
        self._names = 0

    def bind(self, value: Any) -> str:
        """A placeholder for a value."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def alias(self) -> str:
        """A fresh table alias."""
        self._names += 1
        return f"x{self._names}"


def params(type_: str, code: str, suffix: str = "") -> list[int]:
    """The parameter numbers that answer for a parameter of a type."""
    return [rows.param(type_, f"{one}{suffix}") for one in rows.shape(type_).stands_for.get(code, (code,))]


def one_of(s: Statement, column: str, values: Sequence[int] | Sequence[str], kind: str = "bigint") -> str:
    """`column = value` or `= any(values)`: the former keeps the index's order, and its plan holds for every value."""
    if len(values) == 1:
        return f"{column} = {s.bind(values[0])}::{kind}"
    return f"{column} = any({s.bind(values)}::{kind}[])"


def seen(s: Statement, alias: str, visible: Sequence[str] | None, *, outside: bool) -> str:
    """SQL that is true where the row may be seen: of several patients in one resource one is enough, since it stands
    in that patient's own record. outside: whether also what names no patient."""
    if visible is None:
        return "true" if outside else f"{alias}.patients <> '{{}}'"
    mine = f"{alias}.patients && {s.bind(list(visible))}::text[]"
    return f"({mine} or {alias}.patients = '{{}}')" if outside else mine


def may_look(s: Statement, type_: str, rid: str) -> str:
    """SQL that is true where the resource rid of the type, on the way to what is searched, may be seen; "" where
    nothing of the type is hidden. Else who asks "whose doctor has a patient of this name" would learn of others."""
    sight = s.sights[type_]
    if sight.all:
        return ""
    x = s.alias()
    may = seen(s, x, sight.patients, outside=sight.outside)
    return f" and exists (select from records.resource {x} where {x}.tenant = $1 and {x}.rid = {rid} and {may})"


def moments(s: Statement, column: str, value: DateValue) -> str:
    """A moment (timestamptz) against a sought span."""
    low, high = value.low, value.high
    match value.prefix:
        case "eq" | "ap":
            return f"({column} >= {s.bind(low)} and {column} < {s.bind(high)})"
        case "ne":
            return f"({column} < {s.bind(low)} or {column} >= {s.bind(high)})"
        case "gt" | "sa":
            return f"{column} >= {s.bind(high)}"
        case "ge":
            return f"{column} >= {s.bind(low)}"
        case "lt" | "eb":
            return f"{column} < {s.bind(low)}"
        case "le":
            return f"{column} < {s.bind(high)}"
