"""An ORU^R01 read: whose results, of which monitor, and what of it cannot be taken. No value is judged here: monitoring
judges readings, whichever door they came by."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Final

from bedside.exchange.model import codes, times
from bedside.exchange.model.message import Field, Header, Message, Unreadable

MOST_RESULTS: Final = 1000
NUMBER: Final = re.compile(r"[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})", re.ASCII)


@dataclass(slots=True, frozen=True)
class Problem:
    """One ERR segment. severity: E (not taken), W or I (to be known). condition: of table 0357. where: as in ERR-2."""

    text: str
    where: str
    condition: str = "102"
    severity: str = "E"


@dataclass(slots=True, frozen=True)
class Result:
    """One OBX that says something. number: its place among all OBX of the message, from 1. time: µs since 1970.

    value is None for a removal.
    """

    number: int
    monitor: str
    name: str
    site: str
    meaning: codes.Meaning
    time: int
    value: float | None
    unit: str

    def at(self, element: int) -> str:
        """ERR-2 of a field of it."""
        return f"OBX^{self.number}^{element}"


@dataclass(slots=True, frozen=True)
class Person:
    """A PID. identifiers: (assigning authority as sent, value). names: (family, given). birth: as sent."""

    place: int
    identifiers: tuple[tuple[str, str], ...]
    names: tuple[tuple[str, str], ...]
    birth: str


@dataclass(slots=True)
class PatientResults:
    """One PID and its results."""

    person: Person
    results: list[Result] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """The whole message."""

    patients: list[PatientResults] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: int = 0
    """OBX that meant to say something."""


class _Reading:
    """The walk through the segments."""

    def __init__(self, message: Message, head: Header, zone: tzinfo, received: int) -> None:
        self.message, self.received = message, received
        try:
            self.zone = times.offset(head.time) or zone
        except times.NoTime as error:
            raise Unreadable(f"MSH-7 has {error}", where="MSH^1^7") from None
        self.source = head.application
        self.report = Report()
        self.order: int | None = None
        self.devices: dict[str, str] = {}
        """Within an order: the monitor that OBX-4 '1' (of 1.2.3.4) stands for, and '' for the order as a whole."""

    def walk(self) -> Report:
        number = people = 0
        for place, name in enumerate(self.message.names):
            if name == "PID":
                people += 1
                self.report.patients.append(PatientResults(self.person(place, people)))
                self.order, self.devices = None, {}
            elif name == "OBR":
                self.order, self.devices = place, {}
            elif name == "PRT" and (device := self.instance(place, 10)):
                self.devices.setdefault("", device)
            elif name == "OBX":
                number += 1
                self.observation(place, number)
        if not self.report.patients:
            self.problem("there is no PID segment", "PID^1", "100")
        elif not number:
            self.problem("there is no OBX segment", "OBX^1", "100")
        return self.report

    def problem(self, text: str, where: str, condition: str = "102", severity: str = "E") -> None:
        self.report.problems.append(Problem(text, where, condition, severity))

    def person(self, place: int, number: int) -> Person:
        identifiers = []
        for repetition in self.message.field(place, 3):
            value = _first(repetition, 1)
            authority = repetition[3] if len(repetition) > 3 else ()
            # CX.4 is an HD: name, universal id, its type. Any of the first two names the authority.
            identifiers += [(one.strip(), value) for one in authority[:2] if one.strip() and value]
            if value and not any(one.strip() for one in authority[:2]):
                identifiers.append(("", value))
        names = [
            (_first(repetition, 1), _first(repetition, 2))
            for repetition in self.message.field(place, 5)
            # S, U, N: a pseudonym, not specified, a nickname (table 0200): nothing to compare
            if _first(repetition, 7) not in {"S", "U", "N"}
        ]
        birth = self.message.text(place, 7)
        return Person(number, tuple(identifiers), tuple(one for one in names if any(one)), birth)

    def observation(self, place: int, number: int) -> None:
        text = self.message.text
        status = text(place, 11)
        meaning = codes.STATUS.get(status)
        value = self.message.field(place, 5)
        said = any(part.strip() for repetition in value for component in repetition for part in component)
        self.know_device(place, said=said)
        if meaning == "none" or (not said and meaning not in {"removes", None}):
            return  # a heading of PCD-01's containment tree, or a result that could not be had
        self.report.seen += 1
        if meaning is None:
            self.problem("OBX-11 is no status of table 0085", f"OBX^{number}^11", "103")
            return
        if number > MOST_RESULTS:
            self.problem(f"more than {MOST_RESULTS} results in one message", f"OBX^{number}", "104")
            return
        if not self.report.patients:
            self.problem("a result before any PID segment", f"OBX^{number}", "100")
            return
        triplets = [(text(place, 3, n), text(place, 3, n + 1), text(place, 3, n + 2)) for n in (1, 4)]
        try:
            code = codes.coded(triplets)
        except codes.Contradiction:
            self.problem("OBX-3 has the code of one thing and the name of another", f"OBX^{number}^3", "103")
            return
        if code is None:
            self.uncharted(number)
            return
        if (doubt := self.doubted(place)) is not None:
            self.problem(doubt, f"OBX^{number}^8", "102", "W")
            return
        at = self.moment(place, number)
        if at is None:
            return
        measured: tuple[float, str] | None = None
        if meaning != "removes":
            measured = self.measured(place, number, value)
            if measured is None:
                return
        monitor = self.monitor(place)
        amount, unit = measured if measured is not None else (None, "")
        self.report.patients[-1].results.append(
            Result(number, monitor, code.name, code.site, meaning, at, amount, unit)
        )

    def uncharted(self, number: int) -> None:
        self.problem("a code that is not charted here", f"OBX^{number}^3", "103", "W")

    def doubted(self, place: int) -> str | None:
        flags = [_first(repetition, 1) for repetition in self.message.field(place, 8)]
        return next((codes.DOUBT[flag] for flag in flags if flag in codes.DOUBT), None)

    def moment(self, place: int, number: int) -> int | None:
        where, stamp = f"OBX^{number}^14", self.message.text(place, 14)
        if not stamp and self.order is not None:
            where, stamp = f"OBX^{number}^14", self.message.text(self.order, 7)
        if not stamp:
            self.problem("no time of observation in OBX-14 or OBR-7", where, "101")
            return None
        try:
            return times.instant(stamp, self.zone, self.received)
        except times.NoTime as error:
            self.problem(f"the time of observation is {error}", where)
            return None

    def measured(self, place: int, number: int, value: Field) -> tuple[float, str] | None:
        kind, where = self.message.text(place, 2), f"OBX^{number}^5"
        if len(value) != 1:
            self.problem("more than one value", where)
            return None
        parts = [part.strip() for component in value[0] for part in component]
        if kind == "SN":
            # comparator, number, separator, number: only a plain number is a measurement, a bound or a range is none
            if not (len(value[0]) <= 2 and len(parts) == 2 and parts[0] in {"", "="}):
                self.problem("a bound, a range or a ratio, not a measured number", where)
                return None
            text = parts[1]
        elif kind == "NM" and len(parts) == 1:
            text = parts[0]
        else:
            condition = "101" if not kind else "102"
            self.problem("a number is needed: OBX-2 NM or SN", f"OBX^{number}^2", condition)
            return None
        if NUMBER.fullmatch(text) is None:
            self.problem("not a number", where)
            return None
        unit = codes.unit_of([self.message.text(place, 6, n) for n in (1, 2, 4, 5)])
        if unit is None:
            self.problem("the unit is missing", f"OBX^{number}^6", "101")
            return None
        return float(text), unit

    def know_device(self, place: int, *, said: bool) -> None:
        """A heading of the containment tree (OBX-4 '1.0.0.0', no value) names the monitor of what stands below it."""
        if not said and (device := self.instance(place, 18)):
            tree = self.message.text(place, 4).split(".")
            if set(tree[1:]) <= {"0"}:
                self.devices[tree[0]] = device

    def monitor(self, place: int) -> str:
        own = self.instance(place, 18)
        after = place + 1
        names = self.message.names
        while not own and after < len(names) and names[after] in {"PRT", "NTE"}:
            own = self.instance(after, 10) if names[after] == "PRT" else ""
            after += 1
        above = self.devices.get(self.message.text(place, 4).split(".")[0]) or self.devices.get("")
        return (own or above or self.source)[:200]

    def instance(self, place: int, number: int) -> str:
        """An EI (entity identifier) as text; of several the first."""
        found = self.message.field(place, number)
        if not found:
            return ""
        return "^".join(component[0].strip() if component else "" for component in found[0]).strip("^")


def _first(repetition: tuple[tuple[str, ...], ...], component: int) -> str:
    if len(repetition) < component or not repetition[component - 1]:
        return ""
    return repetition[component - 1][0].strip()


def read(message: Message, head: Header, zone: tzinfo, received: int) -> Report:
    """What the message says. zone: of times without an offset where MSH-7 has none. received: µs since 1970.

    Raises Unreadable.
    """
    return _Reading(message, head, zone, received).walk()
