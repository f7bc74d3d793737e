"""SQL of waveforms."""

from __future__ import annotations

from array import array
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection
from bedside.monitoring.waves.model.message import Piece
from bedside.monitoring.waves.model.packed import Minute

Key = tuple[int, int, int]
"""Device's number, lead, device time of the first sample in µs: the identity of a piece."""
LONGEST = 80_000_000
"""µs: no row of wave_minute begins earlier than this before what it holds."""


def _pairs(off: Sequence[tuple[int, ...]], code: str) -> bytes | None:
    return array(code, [one for pair in off for one in pair]).tobytes() if off else None


def _off(raw: bytes | None) -> tuple[tuple[int, int], ...]:
    flat = array("H", raw or b"")
    return tuple(zip(flat[::2], flat[1::2], strict=True))


def _piece(row: Any) -> Piece:
    scale = (row["hz"], row["unit"], row["k"], row["o"])
    return Piece(row["lead"], row["t"], *scale, bytes(row["samples"]), _off(row["off_lead"]))


def _minute(row: Any) -> Minute:
    flat = array("I", row["off_lead"] or b"")
    return Minute(
        *(row["lead"], row["hz"], row["unit"], row["k"], row["o"], tuple(row["t"]), tuple(row["n"])),
        *(bytes(row["packed"]), tuple(zip(flat[::3], flat[1::3], flat[2::3], strict=True)), row["t_max"]),
    )


async def add(sql: Connection, rows: Sequence[tuple[int, int, str | None, datetime, Piece]]) -> set[Key]:
    """Pieces that are not held yet, with tenant, device, patient and receipt; returns which these were."""
    if not rows:
        return set()
    columns = zip(
        *(
            (
                *(device, one.lead, one.time, tenant, patient, one.end, at),
                *(one.hz, one.k, one.o, one.unit, one.samples, _pairs(one.off, "H")),
            )
            for tenant, device, patient, at, one in rows
        ),
        strict=True,
    )
    made = await sql.fetch(
        """insert into monitoring.wave
               (device, lead, t, tenant, patient, t_end, received_at, hz, k, o, unit, samples, off_lead)
           select * from unnest($1::int[], $2::int2[], $3::bigint[], $4::int[], $5::text[], $6::bigint[],
                                $7::timestamptz[], $8::float8[], $9::float8[], $10::float8[], $11::text[],
                                $12::bytea[], $13::bytea[])
           on conflict (device, lead, t) do nothing returning device, lead, t""",
        *(list(column) for column in columns),
    )
    return {(row["device"], row["lead"], row["t"]) for row in made}


async def held(sql: Connection, keys: Sequence[Key]) -> dict[Key, Piece]:
    """Those of these pieces that are held, as they came or in a minute's row."""
    if not keys:
        return {}
    asked = [list(column) for column in zip(*keys, strict=True)]
    rows = await sql.fetch(
        """select w.* from monitoring.wave w
           join unnest($1::int[], $2::int2[], $3::bigint[]) as u (device, lead, t) using (device, lead, t)""",
        *asked,
    )
    found = {(row["device"], row["lead"], row["t"]): _piece(row) for row in rows}
    for row in await sql.fetch(
        """select distinct on (m.device, m.lead, m.t_min) m.* from monitoring.wave_minute m
           join unnest($1::int[], $2::int2[], $3::bigint[]) as u (device, lead, t)
             on m.device = u.device and m.lead = u.lead
                and m.t_min between u.t - $4::bigint and u.t and u.t = any (m.t)""",
        *(*asked, LONGEST),
    ):
        for piece in _minute(row).pieces():
            found[row["device"], row["lead"], piece.time] = piece
    return {key: found[key] for key in keys if key in found}


async def adopt(sql: Connection, tenant: int, device: int) -> int:
    """What waited for somebody to have held the device then is theirs; how many pieces."""
    done = await sql.execute(
        """update monitoring.wave w set patient = a.patient from monitoring.assignment a
           where w.tenant = $1 and w.device = $2 and w.patient is null and a.tenant = $1 and a.device = w.device
             and a.during @> (timestamptz '1970-01-01 00:00:00+00' + w.t * interval '1 microsecond')""",
        *(tenant, device),
    )
    return int(done.split()[-1])


async def waiting(sql: Connection, before: datetime, most: int) -> list[tuple[int, int, int]]:
    """Tenant, device and lead of pieces received before then that have a patient, most many."""
    rows = await sql.fetch(
        """select distinct tenant, device, lead from (
               select tenant, device, lead from monitoring.wave
               where received_at < $1 and patient is not null order by received_at limit $2) as old""",
        *(before, most),
    )
    return [(row["tenant"], row["device"], row["lead"]) for row in rows]


async def take(sql: Connection, device: int, lead: int, before: datetime, most: int) -> list[tuple[str, Piece]]:
    """Take such pieces of a lead out, the oldest first, with their patients."""
    rows = await sql.fetch(
        """delete from monitoring.wave where (device, lead, t) in (
               select device, lead, t from monitoring.wave
               where device = $1 and lead = $2 and received_at < $3 and patient is not null
               order by t limit $4 for update skip locked)
           returning *""",
        *(device, lead, before, most),
    )
    return [(row["patient"], _piece(row)) for row in rows]


async def keep(sql: Connection, tenant: int, device: int, patient: str, made: Sequence[Minute]) -> None:
    """Rows of minutes."""
    await sql.executemany(
        """insert into monitoring.wave_minute
               (device, lead, t_min, t_max, tenant, patient, hz, k, o, unit, t, n, packed, off_lead)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)""",
        [
            (
                *(device, one.lead, one.t[0], one.end, tenant, patient, one.hz, one.k, one.o, one.unit),
                *(one.t, one.n, one.packed, _pairs(one.off, "I")),
            )
            for one in made
        ],
    )


async def span(
    sql: Connection, tenant: int, patient: str, first: int, last: int, leads: Sequence[int] | None
) -> tuple[list[tuple[int, Piece]], list[tuple[int, Minute]]]:
    """Device and piece of what a patient's leads hold from `first` until before `last`, µs; and the minutes' rows."""
    fresh = await sql.fetch(
        """select * from monitoring.wave where tenant = $1 and patient = $2 and t >= $3::bigint - 10100000 and t < $4
           and t_end > $3 and ($5::int2[] is null or lead = any ($5))""",
        *(tenant, patient, first, last, leads),
    )
    rows = await sql.fetch(
        """select * from monitoring.wave_minute where tenant = $1 and patient = $2 and t_max > $3
           and t_max <= $4::bigint + $6::bigint and t_min < $4 and ($5::int2[] is null or lead = any ($5))""",
        *(tenant, patient, first, last, leads, LONGEST),
    )
    return [(row["device"], _piece(row)) for row in fresh], [(row["device"], _minute(row)) for row in rows]


async def newest(sql: Connection, tenant: int, patient: str) -> int | None:
    """Until when there is anything, µs; None: never."""
    found = await sql.fetchval(
        """select greatest((select max(t_end) from (select t_end from monitoring.wave
                            where tenant = $1 and patient = $2 order by t desc limit 8) as fresh),
                           (select max(t_max) from monitoring.wave_minute where tenant = $1 and patient = $2))""",
        *(tenant, patient),
    )
    return None if found is None else int(found)


async def forget(sql: Connection, before: int, but: Collection[int]) -> int:
    """Remove what ended before then, µs, of all tenants but these; how many rows."""
    total = 0
    for table, column in (("wave_minute", "t_max"), ("wave", "t_end")):
        done = await sql.execute(
            f"delete from monitoring.{table} where {column} < $1 and tenant <> all($2::int[])",  # noqa: S608 - ours
            *(before, list(but)),
        )
        total += int(done.split()[-1])
    return total


async def names(sql: Connection, devices: Sequence[int]) -> dict[int, str]:
    """Devices by number."""
    rows = await sql.fetch("select number, name from monitoring.device where number = any ($1)", list(devices))
    return {row["number"]: row["name"] for row in rows}
