"""$lastn: the newest of each kind, also behind a thousand readings of another kind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx

pytestmark = pytest.mark.engine


async def test_of_each_kind(ctx: Ctx, http: httpx.AsyncClient, readings: Callable[..., Any]) -> None:
    begin = datetime(2026, 2, 1, tzinfo=UTC)
    await readings("ada", [begin + timedelta(minutes=n) for n in range(250)])
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, patient("ben"))
        for n, day in enumerate(("2026-01-03", "2026-01-01", "2026-01-02")):
            await records.create(inner, pulse("ada", 36.0 + n, day, code="8310-5"), id=f"t{n}")
        await records.create(inner, pulse("ada", 70, "2026-01-01"), id="old")
        two = pulse("ada", 90, "2025-01-01", code="59408-5")
        two["code"]["coding"].append({"system": "http://loinc.org", "code": "2708-6"})
        await records.create(inner, two, id="both")
        await records.create(inner, pulse("ada", 91, "2025-01-02", code="2708-6"), id="one")
        await records.create(inner, pulse("ben", 1, "2026-01-01", code="29463-7"), id="bens")
    one = (await http.get("/Observation/$lastn?patient=ada&category=vital-signs")).json()
    assert one["total"] == 3
    assert [e["resource"]["id"] for e in one["entry"]] == ["one", "t0", "r.ada.249"]
    two_each = (await http.get("/Observation/$lastn?subject=Patient/ada&max=2")).json()
    found = [e["resource"]["id"] for e in two_each["entry"]]
    assert found == ["one", "both", "t0", "t2", "r.ada.249", "r.ada.248"]
    only = (await http.get("/Observation/$lastn?patient=ada&code=8310-5&max=9")).json()
    assert [e["resource"]["id"] for e in only["entry"]] == ["t0", "t2", "t1"]


async def test_refusals(ctx: Ctx, http: httpx.AsyncClient, door: Door) -> None:
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, patient("ada"))
    for query in ("", "?category=vital-signs", "?patient=ada&max=0", "?patient=ada&foo=1", "?patient=ada&max=100000"):
        assert (await http.get(f"/Observation/$lastn{query}")).status_code == 400, query
    async with door(acting(ctx, await someone(ctx, "nurse"))) as nurse:
        assert (await nurse.get("/Observation/$lastn?patient=ada")).status_code == 403
