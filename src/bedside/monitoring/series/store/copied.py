"""Packs in the binary format of PostgreSQL's COPY ("COPY", Binary Format): a few calls of struct for a pack.

asyncpg's own encoder asks of each element of each array whether it is an array itself, which took longer than the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Any, Final

BEGIN: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END: Final = b"\xff\xff"
NULL: Final = b"\xff\xff\xff\xff"
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
"""PostgreSQL's own."""
MICROSECOND: Final = timedelta(microseconds=1)
INT2, INT8, FLOAT8, TEXT = 21, 20, 701, 25
"""Numbers of types (pg_type)."""
HEAD: Final = Struct(">hiiii")
"""How many fields; then tenant and device, each with its length before it."""
TIMES: Final = Struct(">iqiq")
EIGHT: Final = Struct(">iq")
LENGTH: Final = Struct(">i")
ARRAY: Final = Struct(">iiiii")
"""Dimensions, whether an element is null, type of the elements; of the one dimension how many, from 1."""


def copied(rows: Iterable[tuple[Any, ...]]) -> bytes:
    """Rows as packs.PACK says."""
    return b"".join((BEGIN, *map(_row, rows), END))


def _row(row: tuple[Any, ...]) -> bytes:
    tenant, device, patient, received, seq, digest, first, last, metric, time, value, flags, sent_value, sent_unit = row
    return b"".join(
        (
            HEAD.pack(14, 4, tenant, 4, device),
            NULL if patient is None else _bytes(patient.encode()),
            EIGHT.pack(8, (received - EPOCH) // MICROSECOND),
            NULL if seq is None else EIGHT.pack(8, seq),
            NULL if digest is None else _bytes(digest),
            TIMES.pack(8, first, 8, last),
            _numbers(INT2, "h", metric),
            _numbers(INT8, "q", time),
            _numbers(FLOAT8, "d", value),
            _numbers(INT2, "h", flags),
            NULL if sent_value is None else _array(FLOAT8, [x if x is None else FLOAT.pack(x) for x in sent_value]),
            NULL if sent_unit is None else _array(TEXT, [x if x is None else x.encode() for x in sent_unit]),
        )
    )


FLOAT: Final = Struct(">d")


def _bytes(value: bytes) -> bytes:
    return LENGTH.pack(len(value)) + value


@lru_cache(maxsize=256)
def _shape(letter: str, many: int) -> Struct:
    """Of an array without nulls: its length and head, and each element after its length."""
    return Struct(">iiiiii" + f"i{letter}" * many)


def _numbers(kind: int, letter: str, values: Sequence[float]) -> bytes:
    shape = _shape(letter, len(values))
    size = WIDTH[letter]
    each: list[float] = [size] * (2 * len(values))
    each[1::2] = values
    return shape.pack(shape.size - 4, 1, 0, kind, len(values), 1, *each)


WIDTH: Final = {"h": 2, "q": 8, "d": 8}


def _array(kind: int, values: Sequence[bytes | None]) -> bytes:
    inner = b"".join(NULL if value is None else _bytes(value) for value in values)
    return _bytes(ARRAY.pack(1, int(None in values), kind, len(values), 1) + inner)
