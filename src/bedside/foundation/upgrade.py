"""What an upgrade of the database will do, told before it does anything: steps, tables, locks, and how long by their
sizes. And HOME/upgrades.json: each upgrade with the backup before it, which is where a way back begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from bedside.foundation import private
from bedside.foundation.migrate import Standing, standing
from bedside.foundation.steps import Kind, Step, steps

BYTES_A_SECOND: dict[Kind, float] = {"moment": 0, "read": 200e6, "index": 40e6, "rows": 40e6, "rewritten": 40e6}
"""Assumed of a small machine, on the cautious side; nobody's disk was asked."""
BACKED_UP = 50e6
"""Bytes of the database that a backup takes in a second, at the least (decision 26: 105 MB/s on two busy cores)."""
A_STEP = 0.1
WORDS: dict[Kind, str] = {
    "moment": "locked for a moment",
    "rows": "some rows change: who writes those waits",
    "index": "read through for an index: reads go on, writes wait",
    "read": "read through: reads and writes wait",
    "rewritten": "written anew: reads and writes wait",
}


@dataclass(frozen=True, slots=True)
class Touched:
    """A table that is there, what becomes of it, about how many rows it has, its bytes with indexes."""

    table: str
    kind: Kind
    rows: int
    size: int

    @property
    def seconds(self) -> float:
        """About."""
        speed = BYTES_A_SECOND[self.kind]
        return self.size / speed if speed else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps that are missing, each with the tables it touches. size: bytes of the whole database."""

    standing: Standing
    steps: Sequence[tuple[Step, Sequence[Touched]]]
    size: int

    @property
    def seconds(self) -> float:
        """About how long the steps take."""
        return sum(A_STEP + sum(each.seconds for each in touched) for _, touched in self.steps)

    def lines(self) -> list[str]:
        """For a terminal."""
        at = self.standing
        by = f", made by Bedside {at.version}" if at.version else ""
        told = [f"The database is at {at.revision}{by}, {_bytes(self.size)}. {len(self.steps)} steps are missing:"]
        for step, touched in self.steps:
            back = "" if step.loses is not None else " (cannot go back)"
            told.append(f"  {step.revision:<7} {step.title}{back}")
            for each in touched:
                rows = "rows unknown" if each.rows < 0 else f"about {each.rows:,} rows"
                told.append(f"          {each.table}, {rows}, {_bytes(each.size)}: {WORDS[each.kind]}")
        told.append(
            f"Estimate: about {_time(self.seconds)}, from the sizes of the tables at 200 MB/s read and 40 MB/s indexed "
            "or written; a busy or slow disk takes several times as long. "
            f"A whole backup before: about {_time(self.size / BACKED_UP)} more."
        )
        return told


async def plan(connection: Any) -> Plan:
    """Reads catalogs alone, so it takes no lock that anybody waits for. Raises Conflict: a newer Bedside made it."""
    found = await standing(connection)
    sizes = {
        row["name"]: (int(row["rows"]), int(row["size"]))
        for row in await connection.fetch(
            """select n.nspname || '.' || c.relname as name, pg_total_relation_size(c.oid) as size,
                case when c.reltuples >= 0 then c.reltuples else coalesce(s.n_live_tup, -1) end as rows
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            left join pg_stat_all_tables s on s.relid = c.oid where c.relkind = 'r'"""
        )
    }
    missing = [
        (step, [Touched(table, kind, *sizes[table]) for table, kind in sorted(step.touched.items()) if table in sizes])
        for step in steps()[-found.missing :]
    ]
    size = int(await connection.fetchval("select pg_database_size(current_database())"))
    return Plan(found, missing if found.missing else [], size)


class Upgrade(msgspec.Struct, kw_only=True):
    """One of HOME/upgrades.json. before, after: revisions. version: of the Bedside that ran before, "" where unknown.
    line, set, until: the backup made first, and up to when it holds everything."""

    before: str
    after: str
    version: str
    began: datetime
    ended: datetime | None = None
    line: str = ""
    set: str = ""
    until: datetime | None = None
    reason: str = ""
    """Said by whoever went on without a backup."""
    audited: bool = False


def kept(home: Path) -> list[Upgrade]:
    """Oldest first."""
    path = home / "upgrades.json"
    return msgspec.json.decode(path.read_bytes(), type=list[Upgrade]) if path.exists() else []


def keep(home: Path, one: Upgrade) -> None:
    """Add it, or put it in the place of the one that began at the same moment."""
    rest = [each for each in kept(home) if each.began != one.began]
    private.write(home / "upgrades.json", msgspec.json.format(msgspec.json.encode([*rest, one])).decode() + "\n")


def _bytes(many: float) -> str:
    return f"{many / 1e9:,.1f} GB" if many >= 1e9 else f"{many / 1e6:,.1f} MB"


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / 60)} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
