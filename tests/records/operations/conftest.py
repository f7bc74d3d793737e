"""Readings that another room keeps, for operations that must find them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

import pytest
from tests.records.conftest import door, http
from tests.records.resources import patient
from tests.records.test_providing import PROVIDER, VIEW

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.records.service import registry

__all__ = ["door", "http"]


@pytest.fixture
async def readings(ctx: Ctx, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Sequence[datetime]], Awaitable[None]]:
    """Keep pulses of a new patient elsewhere, one at each of the times, of 60, 61, …"""
    monkeypatch.setattr(registry, "_providers", {})
    records.provide(PROVIDER)

    async def keep(id_: str, times: Sequence[datetime]) -> None:
        async with access.work(ctx, "seed") as inner:
            await inner.sql.execute(VIEW)
            await records.create(inner, patient(id_))
            for n, at in enumerate(times):
                await inner.sql.execute(
                    "insert into elsewhere.reading values (1, $1, $2, $3, $4)", id_, n, at, 60.0 + n
                )

    return keep
