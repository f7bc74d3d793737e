"""Many new resources with their index rows go in by COPY: a quarter less of PostgreSQL's processor than a statement.

The bytes are PostgreSQL's own (postgresql.org/docs/16/sql-copy.html, "Binary Format"): asyncpg's way from records to
these bytes asks each value's type anew, which costs twice as much.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

from bedside.foundation.database import Connection
from bedside.records.model.rows import Rows
from bedside.records.store.versions import Versions

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = struct.pack(">h", -1)
_NULL = struct.pack(">i", -1)
_TEXT = 25
"""The oid of text."""
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PIECE = 500
"""Rows of one message."""

_size = struct.Struct(">i").pack
_resource = struct.Struct(">h iq iq ii ii").pack
_placed = struct.Struct(">h iq iq iq iq iq ii ii ii").pack
_entry = struct.Struct(">h iq iq iq iq iq ii ii i").pack  # its last: the length that says null
_word = struct.Struct(">h iq ii ii").pack
_array = struct.Struct(">iiiii").pack

_RESOURCE = ("rid", "updated", "tenant", "version", "type", "id", "method", "patients", "body")
_ENTRY = ("rid", "key", "patient", "at", "extra", "tenant", "param", "place")
_WORD = ("rid", "tenant", "param", "folded", "exact")


async def copy(sql: Connection, tenant: int, versions: Versions, rows: Rows) -> None:
    """Write new resources. Raises asyncpg.UniqueViolationError when one stands there already."""
    await _copy(sql, "resource", _RESOURCE, _resources(tenant, versions))
    await _copy(sql, "entry", _ENTRY, _entries(tenant, rows))
    if rows.word_rids:
        await _copy(sql, "word", _WORD, _words(tenant, rows))


async def _copy(sql: Connection, table: str, columns: tuple[str, ...], rows: Iterable[bytes]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield _HEAD
        left = iter(rows)
        while piece := b"".join(islice(left, _PIECE)):
            yield piece
            await asyncio.sleep(0)  # others are let in
        yield _END

    await sql.copy_to_table(table, schema_name="records", columns=columns, source=pieces(), format="binary")


def _resources(tenant: int, versions: Versions) -> Iterable[bytes]:
    for updated, rid, type_, id_, number, method, patients, body in zip(*versions.columns(), strict=True):
        moment = (updated - _EPOCH) // _MICROSECOND
        texts = [_sized(text.encode()) for text in (type_, id_, method)]
        whose = _sized(_texts(patients.split()))
        head = _resource(9, 8, rid, 8, moment, 4, tenant, 4, number)
        yield b"".join((head, *texts, whose, _NULL if body is None else _sized(body)))


def _texts(texts: list[str]) -> bytes:
    """An array of texts: of no dimension where there are none."""
    if not texts:
        return struct.pack(">iii", 0, 0, _TEXT)
    return _array(1, 0, _TEXT, len(texts), 1) + b"".join(_sized(text.encode()) for text in texts)


def _entries(tenant: int, rows: Rows) -> Iterable[bytes]:
    for rid, key, patient, at, extra, param, place in zip(
        rows.rids, rows.keys, rows.patients, rows.ats, rows.extras, rows.params, rows.places, strict=True
    ):
        if place:
            yield _placed(8, 8, rid, 8, key, 8, patient, 8, at, 8, extra, 4, tenant, 4, param, 4, place)
        else:
            yield _entry(8, 8, rid, 8, key, 8, patient, 8, at, 8, extra, 4, tenant, 4, param, -1)


def _words(tenant: int, rows: Rows) -> Iterable[bytes]:
    for rid, param, folded, exact in zip(rows.word_rids, rows.word_params, rows.folded, rows.exact, strict=True):
        yield _word(5, 8, rid, 4, tenant, 4, param) + _sized(folded.encode()) + _sized(exact.encode())


def _sized(value: bytes) -> bytes:
    return _size(len(value)) + value
