"""Real stays of the PhysioNet/CinC Challenge 2012 (shared/data/README.md) as charted observations, and NEWS2 of any
moment of one, worked out from the file's rows by plain conditions: no table, clock or code of Bedside's takes part.

What the file does not say is said here, once for both sides. Consciousness is the coma score: 15 is A, 13 and 14 are C,
9 to 12 V, 4 to 8 P, 3 U. With each coma score the nurse charts what is breathed: 15 L/min of oxygen from the first FiO2
above 21 % on, else air. SpO2 is not in the file: the last SaO2 is charted as it, with each respiratory rate. Of an
arterial and a cuff's pressure of one minute the arterial counts.
"""

from __future__ import annotations

import csv
import io
import lzma
import random
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from tests.monitoring.rules import test_news2 as chart

DATA = Path(__file__).resolve().parents[3] / "shared/data/icu_cinc2012"
NAMES = {"HR": "heart-rate", "RespRate": "respiratory-rate", "Temp": "temperature"}
PRESSURES = {"SysABP": 0, "NISysABP": 1}
# Minutes for which an observation stands for a score, and what is said of the living (rules/tables/timing.toml and
# ingest/tables/metrics.toml, read by eye): outside BELIEVED it is charted and not scored, outside POSSIBLE not charted.
STANDS = {
    **{"respiratory-rate": 60, "spo2": 60, "heart-rate": 60, "systolic": 240, "temperature": 240},
    **{"oxygen": 720, "consciousness": 720},
}
POSSIBLE = {
    **{"heart-rate": (10, 350), "respiratory-rate": (1, 120), "spo2": (10, 100), "temperature": (11, 47)},
    "systolic": (20, 370),
}
BELIEVED = {
    **{"heart-rate": (30, 220), "respiratory-rate": (6, 60), "spo2": (70, 100), "temperature": (33, 42)},
    "systolic": (60, 260),
}


@dataclass
class Stay:
    """One stay. charted: by the minute since admission, what was observed in it."""

    id: str
    age: int = 0
    charted: dict[int, dict[str, float | str]] = field(default_factory=lambda: defaultdict(dict))

    def news2(self, minute: int, *, margin: int = 0) -> int | str:
        """The score at that minute, or why there is none. margin: minutes by which all must be fresher."""
        if self.age < 16:
            return "not-applicable"
        newest: dict[str, tuple[int, float | str]] = {}
        for at in sorted(self.charted):
            if at > minute:
                break
            newest |= {name: (at, value) for name, value in self.charted[at].items() if possible(name, value)}
        total = 0
        for name, limit in STANDS.items():
            at, value = newest.get(name, (-10_000, 0.0))
            if minute - at > limit - margin or not believed(name, value):
                return "incomplete"
            total += points(name, value)
        return total

    def worst(self, hours: int, *, margin: int = 0) -> int:
        """The highest score at any moment at which something was charted; -1 where there was none."""
        scores = [self.news2(minute, margin=margin) for minute in self.charted if minute <= 60 * hours]
        return max((score for score in scores if isinstance(score, int)), default=-1)


def possible(name: str, value: float | str) -> bool:
    low, high = POSSIBLE.get(name, (0, 0))
    return isinstance(value, str) or name == "oxygen" or low <= value <= high


def believed(name: str, value: float | str) -> bool:
    low, high = BELIEVED.get(name, (0, 0))
    return isinstance(value, str) or name == "oxygen" or low <= value <= high


def points(name: str, value: float | str) -> int:
    """Of one observation, on the SpO2 scale 1, at the steps of the RCP's chart: whole numbers, tenths of a degree."""
    if isinstance(value, str):
        return 0 if value == "A" else 3
    if name == "oxygen":
        return 2 if value > 0 else 0
    if name == "temperature":
        return chart.oracle_temperature(_whole(value * 10))
    if name == "spo2":
        return chart.oracle_spo2(_whole(value), 1, False)
    how = {"respiratory-rate": chart.oracle_rate, "systolic": chart.oracle_systolic, "heart-rate": chart.oracle_pulse}
    return how[name](_whole(value))


def _whole(value: float) -> int:
    return int(Decimal(repr(round(value, 6))).quantize(Decimal(1), ROUND_HALF_UP))


def acvpu(coma: float) -> str:
    """See the module."""
    return "A" if coma >= 15 else "C" if coma >= 13 else "V" if coma >= 9 else "P" if coma >= 4 else "U"


def stays() -> list[Stay]:
    """All of set A, each with what NEWS2 asks for."""
    found: dict[str, Stay] = {}
    oxygen: set[str] = set()
    saturation: dict[str, float] = {}
    pressure: dict[tuple[str, int], int] = {}
    text = lzma.decompress((DATA / "set-a.csv.xz").read_bytes()).decode()
    for row in csv.DictReader(io.StringIO(text)):
        name, what, value = row["RecordID"], row["Parameter"], float(row["Value"])
        hours, minutes = row["Time"].split(":")
        at = int(hours) * 60 + int(minutes)
        stay = found.setdefault(name, Stay(name))
        now = stay.charted[at]
        if what == "Age":
            stay.age = int(value)
        elif what == "FiO2" and value > 0.21:
            oxygen.add(name)
        elif what == "GCS" and 3 <= value <= 15:
            now.setdefault("consciousness", acvpu(value))
            now.setdefault("oxygen", 15.0 if name in oxygen else 0.0)
        elif what in PRESSURES and PRESSURES[what] < pressure.get((name, at), 2):
            pressure[name, at] = PRESSURES[what]
            now["systolic"] = value
        elif what == "SaO2":
            saturation[name] = value
        elif what in NAMES:
            now.setdefault(NAMES[what], value)
            if what == "RespRate" and name in saturation:
                now["spo2"] = saturation[name]
    return list(found.values())


def telling(count: int) -> list[Stay]:
    """The stays that can be scored most often, and as many again, by chance, of all: in most of them SaO2 is seldom
    measured, so that their scores are incomplete."""
    everybody = sorted(
        stays(), key=lambda stay: (-sum("spo2" in observed for observed in stay.charted.values()), stay.id)
    )
    half = count // 2
    return everybody[: count - half] + random.Random(1).sample(everybody[count - half :], half)
