"""A pack written in PostgreSQL's binary format reads back as it was, whatever of it is missing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from tests.monitoring.series.test_landing import device

from bedside import access
from bedside.foundation.context import Ctx
from bedside.monitoring.series.store import packs

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]
kept = None
"""These rows are looked at where they landed."""

AT = datetime(2026, 11, 21, 12, 0, 1, 234567, tzinfo=UTC)
NOW = 1_763_726_400_123_456


def rows(tenant: int, number: int) -> list[tuple[Any, ...]]:
    """As packs.PACK says."""
    who = (tenant, number)
    full = ([-3, 2, 1], [NOW, NOW + 1, 946_684_800_000_000], [36.6, -0.5, 1e300], [0, 16, 31])
    return [
        (*who, "p1", AT, 2**63 - 1, None, NOW, NOW + 1, *full, None, None),
        (*who, None, AT, None, b"\x00\xffdigest", NOW, NOW, [1], [NOW], [0.0], [0], None, None),
        (*who, "pä–1", AT, 0, b"", NOW, NOW, [1, 2], [NOW] * 2, [1.0, 2.0], [16, 0], [98.6, None], ["[degF]", None]),
        (*who, "p1", AT, 7, None, 0, NOW, [3] * 1000, [NOW] * 1000, [7.0] * 1000, [1] * 1000, None, None),
    ]


async def written(ctx: Ctx, several: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    async with access.work(ctx, "wrote packs") as inner:
        await inner.sql.execute("delete from monitoring.pack")
        await packs.append(inner.sql, several)
        found = await inner.sql.fetch("select * from monitoring.pack order by id")
        return [tuple(row[name] for name in packs.PACK) for row in found]


async def test_packs_read_back_as_they_were_written(ctx: Ctx) -> None:
    name = await device(ctx)
    number = await number_of(ctx, name)
    wanted = rows(ctx.tenant, number)
    assert await written(ctx, wanted) == wanted
    # Few are written by a statement, many are copied: the same rows either way.
    assert await written(ctx, wanted[1:]) == wanted[1:]


async def number_of(ctx: Ctx, name: str) -> int:
    async with access.work(ctx, "looked") as inner:
        return int(await inner.sql.fetchval("select number from monitoring.device where name = $1", name))
