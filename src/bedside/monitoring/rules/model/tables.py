"""The dated tables, read once from the files packaged beside this room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Literal, TypeVar

from bedside.foundation.tables import table_of

Priority = Literal["high", "medium", "low"]
Direction = Literal["high", "low", "code"]
Kind = Literal["limit", "persistence", "change", "baseline"]
"""How a row reads the past of its metric (tables/programmes.toml)."""

RANK: dict[str, int] = {"high": 3, "medium": 2, "low": 1}
"""Higher is worse."""

UNTIL_FURTHER_NOTICE = date(9999, 12, 31)


@dataclass(frozen=True, slots=True)
class LimitRow:
    """One limit. comparison reads 'value comparison limit is a breach'; 'in' compares a code with codes.

    kind: what is compared: the value itself; the value, and `least` of the last `of` (persistence); its change within
    `window`; its deviation from the patient's own median of `window`, with `least` days and `spread` (baseline).
    programme: only for who is enrolled in it. version: of its table.
    """

    id: str
    cause: str
    metric: str
    comparison: str
    limit: float
    priority: Priority
    source: str
    hazard: str
    effective_from: date
    effective_to: date = UNTIL_FURTHER_NOTICE
    codes: frozenset[str] = frozenset()
    scale: int | None = None
    when: str = ""
    kind: Kind = "limit"
    window: timedelta | None = None
    least: int = 0
    of: int = 0
    spread: float = 0.0
    programme: str = ""
    version: str = ""
    delay: timedelta = timedelta(0)
    """How long it must stand broken before its alarm is raised; of a patient's own rows alone (default_delay)."""
    own: bool = False
    """Set for this patient, above the defaults."""

    @property
    def direction(self) -> Direction:
        """Which side of normal the row watches."""
        if self.comparison == "in":
            return "code"
        return "high" if self.comparison.startswith(">") else "low"

    def breached_by(self, value: float | str) -> bool:
        """Whether the value lies outside this limit."""
        if isinstance(value, str):
            return value in self.codes
        match self.comparison:
            case ">":
                return value > self.limit
            case ">=":
                return value >= self.limit
            case "<":
                return value < self.limit
            case "<=":
                return value <= self.limit
            case _:
                return False


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """After how long without anything a device of this kind is silent."""

    kind: str
    after: timedelta
    priority: Priority
    source: str


@dataclass(frozen=True, slots=True)
class BatteryRow:
    """At which charge (%) a device's battery is low, and from which on it is not any more."""

    limit: float
    clear: float
    priority: Priority
    source: str


@dataclass(frozen=True, slots=True)
class Pace:
    """The times in an alarm's life, by priority."""

    priority: Priority
    escalate: timedelta
    returns: timedelta
    recheck: timedelta
    pause: timedelta
    """The longest pause."""
    source: str


@dataclass(frozen=True, slots=True)
class Bands:
    """Points of one NEWS2 parameter: (inclusive upper end or None, points), upwards, at the chart's own step."""

    step: Decimal
    bands: tuple[tuple[Decimal | None, int], ...]


@dataclass(frozen=True, slots=True)
class HomeRow:
    """How seldom people at home are told of alarms, and how long the page lists them."""

    repeat: timedelta
    unread: timedelta
    listed: timedelta
    source: str
    hazard: str


T = TypeVar("T")


@cache
def _file(name: str) -> dict[str, Any]:
    return table_of("bedside.monitoring.rules", f"tables/{name}", dict[str, Any])


def _in_force(row: dict[str, Any], on: date) -> bool:
    first: date = row["from"]
    last: date = row.get("to", UNTIL_FURTHER_NOTICE)
    return first <= on <= last


def _at_least(rows: list[dict[str, Any]], on: date) -> date:
    """That day, or the table's first: what was measured before there was a table is judged by the oldest rows."""
    first: date = min(row["from"] for row in rows)
    return max(on, first)


def _window(row: dict[str, Any]) -> timedelta | None:
    if "days" in row:
        return timedelta(days=row["days"])
    hours = row.get("hours", row.get("window_hours"))
    return None if hours is None else timedelta(hours=hours)


def _limit(row: dict[str, Any], version: str, kind: Kind = "limit") -> LimitRow:
    return LimitRow(
        id=row["id"],
        cause=row["cause"],
        metric=row["metric"],
        comparison=row["comparison"],
        limit=float(row.get("limit", 0)),
        priority=row["priority"],
        source=row["source"],
        hazard=row["hazard"],
        effective_from=row["from"],
        effective_to=row.get("to", UNTIL_FURTHER_NOTICE),
        codes=frozenset(row.get("codes", ())),
        scale=row.get("scale"),
        when=row.get("when", ""),
        kind=row.get("kind", kind),
        window=_window(row),
        least=row.get("least", 0),
        of=row.get("of", 0),
        spread=float(row.get("spread", 0)),
        programme=row.get("programme", ""),
        version=version,
    )


def version() -> str:
    """The version of the table of limits, named by every finding."""
    return str(_file("limits.toml")["version"])


def timing_version() -> str:
    """The version of the table of times."""
    return str(_file("timing.toml")["version"])


@cache
def default_limits(on: date) -> tuple[LimitRow, ...]:
    """Every default row in force on a day: limits, weight gain, and NEWS2's own (metric 'news2')."""
    found = _file("limits.toml")
    kinds: tuple[tuple[str, Kind], ...] = (("limit", "limit"), ("gain", "change"), ("score", "limit"))
    return tuple(_limit(row, version(), kind) for table, kind in kinds for row in found[table] if _in_force(row, on))


@cache
def programmes() -> tuple[str, ...]:
    """The programmes that there are, in the table's order."""
    return tuple(row["key"] for row in _file("programmes.toml")["programme"])


@cache
def unscored() -> frozenset[str]:
    """The programmes that do not use NEWS2."""
    return frozenset(row["key"] for row in _file("programmes.toml")["programme"] if not row.get("news2", True))


@cache
def programme_rules(on: date) -> tuple[LimitRow, ...]:
    """Every row of every programme in force on a day."""
    found = _file("programmes.toml")
    return tuple(_limit(row, found["version"]) for row in found["rule"] if _in_force(row, on))


def rule(id: str, on: date) -> LimitRow | None:
    """A row by its id, of the defaults or of a programme, in force on a day."""
    return next((row for row in (*default_limits(on), *programme_rules(on)) if row.id == id), None)


@cache
def report_row(on: date) -> LimitRow:
    """The rule of danger symptoms that a patient reports."""
    return next(_limit(row, version()) for row in _file("limits.toml")["report"] if _in_force(row, on))


@cache
def _standing(metric: str, on: date) -> dict[str, Any]:
    told = _file("timing.toml")["standing"]
    rows = {row["metric"]: row for row in told if _in_force(row, _at_least(told, on))}
    found: dict[str, Any] = rows.get(metric) or rows["*"]
    return found


@cache
def standing(metric: str, on: date) -> timedelta:
    """How long a value of this metric counts as standing beside a newer one of the same cause."""
    return timedelta(minutes=_standing(metric, on)["minutes"])


@cache
def settle(metric: str, on: date) -> timedelta:
    """How long a cause must stay within limits before its alarm has ended by itself; zero for a spot measure."""
    return timedelta(seconds=_standing(metric, on)["settle_seconds"])


@cache
def news2_fresh(on: date) -> dict[str, timedelta]:
    """How old each of NEWS2's seven inputs may be, in the chart's order."""
    rows = _file("timing.toml")["news2"]
    return {row["metric"]: timedelta(minutes=row["minutes"]) for row in rows if _in_force(row, _at_least(rows, on))}


@cache
def silence(on: date) -> dict[str, SilenceRow]:
    """By kind of device."""
    return {
        row["kind"]: SilenceRow(row["kind"], timedelta(minutes=row["minutes"]), row["priority"], row["source"])
        for row in _file("timing.toml")["silence"]
        if _in_force(row, on)
    }


@cache
def battery(on: date) -> BatteryRow:
    """Of every kind of device."""
    row = next(row for row in _file("timing.toml")["battery"] if _in_force(row, on))
    return BatteryRow(float(row["limit"]), float(row["clear"]), row["priority"], row["source"])


@cache
def default_delay(kind: str, metric: str, priority: str, on: date) -> timedelta:
    """How long a default limit must stand broken, by the kind of device that measured; zero where no row says so."""
    for row in _file("timing.toml")["delay"]:
        if (row["kind"], row["metric"], row["priority"]) == (kind, metric, priority) and _in_force(row, on):
            return timedelta(seconds=row["seconds"])
    return timedelta(0)


@cache
def again(on: date) -> tuple[int, timedelta]:
    """After how many delays that passed, within how long, a default limit does not wait any more."""
    row = next(row for row in _file("timing.toml")["again"] if _in_force(row, on))
    return int(row["times"]), timedelta(minutes=row["minutes"])


@cache
def paces(on: date) -> dict[str, Pace]:
    """By priority."""
    longest = {row["priority"]: row["minutes"] for row in _file("timing.toml")["pause"] if _in_force(row, on)}
    return {
        row["priority"]: Pace(
            row["priority"],
            timedelta(minutes=row["escalate_minutes"]),
            timedelta(minutes=row["return_minutes"]),
            timedelta(minutes=row["recheck_minutes"]),
            timedelta(minutes=longest[row["priority"]]),
            row["source"],
        )
        for row in _file("timing.toml")["alarm"]
        if _in_force(row, on)
    }


@cache
def news2_bands() -> dict[tuple[str, int | None, str], Bands]:
    """By (parameter, SpO2 scale or None, 'air' or 'oxygen' where it matters)."""
    return {
        (row["parameter"], row.get("scale"), row.get("when", "")): Bands(
            Decimal(row["step"]),
            tuple((Decimal(b["to"]) if "to" in b else None, b["points"]) for b in row["bands"]),
        )
        for row in _file("news2.toml")["bands"]
    }


@cache
def news2_codes() -> dict[str, dict[str, int]]:
    """Points of NEWS2's two parameters that are no number."""
    return {row["parameter"]: dict(row["points"]) for row in _file("news2.toml")["codes"]}


@cache
def news2_responses() -> tuple[dict[str, Any], ...]:
    """Chart 4, worst first."""
    return tuple(_file("news2.toml")["response"])


def news2_version() -> str:
    """Which NEWS2 this is."""
    return str(_file("news2.toml")["version"])


@cache
def home(on: date) -> HomeRow:
    """What holds for notices to people at home."""
    (row,) = (row for row in _file("notices.toml")["home"] if _in_force(row, on))
    return HomeRow(
        timedelta(hours=row["repeat_hours"]),
        timedelta(hours=row["unread_hours"]),
        timedelta(days=row["listed_days"]),
        row["source"],
        row["hazard"],
    )
