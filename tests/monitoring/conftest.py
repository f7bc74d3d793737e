"""What monitoring's tests share: three patients, and the readings in the record."""

from collections.abc import AsyncIterator

import pytest

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.monitoring import subscribers


@pytest.fixture
async def patients(ctx: Ctx) -> AsyncIterator[None]:
    """p1, p2 and p3 are in the record, and the record reads our readings."""
    for provider in subscribers.READ_PROVIDERS:
        records.provide(provider)
    for governed in subscribers.GOVERNED:
        records.govern(governed)
    async with access.work(ctx, "added patients") as inner:
        for name in ("p1", "p2", "p3"):
            await records.create(inner, {"resourceType": "Patient", "id": name, "name": [{"family": name}]}, id=name)
    yield
