"""What an earlier Bedside wrote is found as what this one writes; stopped and begun again; beside writers."""

import asyncio
from typing import Any

import httpx
import pytest
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.jobs import Worker
from bedside.records.service import reindexing
from bedside.records.subscribers import EVERY, JOBS

pytestmark = pytest.mark.engine


def pressure(id_: str, upper: int) -> dict[str, Any]:
    """A blood pressure, whose parts meet in composites only by their place."""
    parts = [
        {
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": f"Part {code}"}]},
            "valueQuantity": {"value": value, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        }
        for code, value in (("8480-6", upper), ("8462-4", 80))
    ]
    made = {**pulse("ada"), "id": id_, "component": parts}
    del made["valueQuantity"]
    return made


ASKED = (
    "/Observation?component-code:text=part",
    "/Observation?component-code-value-quantity=http://loinc.org|8480-6$gt150",
    "/Patient?name=quist",
)


async def seed(ctx: Ctx) -> None:
    async with access.work(ctx, "seed") as inner:
        for n in range(25):
            await records.update(inner, patient(f"p{n}"))
        await records.update(inner, patient("ada"))
        for n in range(10):
            await records.update(inner, pressure(f"o{n}", 140 + 2 * n))
        await records.update(inner, {**pulse("ada"), "id": "gone"})
        await records.delete(inner, "Observation", "gone")


async def as_before(ctx: Ctx) -> None:
    """The rows as they were before places and phrases came, and without one name."""
    async with ctx.database.connection() as sql:
        await sql.execute("delete from records.phrase")
        await sql.execute("update records.entry set place = null")
        await sql.execute("delete from records.word where rid = (select rid from records.resource where id = 'p7')")


async def answers(http: httpx.AsyncClient) -> list[set[str]]:
    found = []
    for asked in ASKED:
        page = (await http.get(f"{asked}&_count=100")).json()
        found.append({one["resource"]["id"] for one in page.get("entry", ())})
    return found


async def rows(ctx: Ctx) -> list[Any]:
    async with ctx.database.connection() as sql:
        entries = await sql.fetch(
            "select rid, param, key, extra, patient, at, place, ctid::text from records.entry order by 1, 2, 3, 4, 7"
        )
        words = await sql.fetch("select rid, param, folded, exact from records.word order by 1, 2, 3, 4")
    return [*map(tuple, entries), *map(tuple, words)]


async def test_what_was_written_before_is_found(ctx: Ctx, http: httpx.AsyncClient) -> None:
    await seed(ctx)
    wanted, stood = await answers(http), await rows(ctx)
    assert all(wanted)
    await as_before(ctx)
    told: list[tuple[int, int]] = []
    assert await answers(http) != wanted
    reindexing.phrases._memories.clear()  # a process that has just started remembers none as written
    found = await records.reindex(ctx, lambda done, total: told.append((done, total)))
    assert await answers(http) == wanted
    assert (found.done, found.renewed) == (37, 11)  # the ten pressures and the patient without a name
    assert told[-1] == (37, 37)
    assert [row[:7] for row in await rows(ctx)] == [row[:7] for row in stood]
    version = await http.get("/Observation/o1")
    assert version.headers["etag"] == 'W/"1"'  # no version was made


async def test_twice_writes_nothing(ctx: Ctx) -> None:
    await seed(ctx)
    await records.reindex(ctx)
    before = await rows(ctx)
    assert (await records.reindex(ctx)).renewed == 0
    assert (await records.reindex(ctx, again=True)) == (37, 0)
    assert await rows(ctx) == before  # not even moved


async def test_goes_on_where_it_was_stopped(ctx: Ctx, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(ctx)
    wanted = await answers(http)
    await as_before(ctx)
    reindexing.phrases._memories.clear()
    monkeypatch.setattr(reindexing, "PAGE", 10)
    steps = 0

    def stop(done: int, total: int) -> None:
        nonlocal steps
        steps += 1
        if steps == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await records.reindex(ctx, stop)
    told: list[int] = []
    await records.reindex(ctx, lambda done, _: told.append(done))
    assert told == [30, 37, 37]
    assert await answers(http) == wanted


async def test_two_share_the_work_beside_writers(
    ctx: Ctx, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    await seed(ctx)
    await as_before(ctx)
    reindexing.phrases._memories.clear()
    monkeypatch.setattr(reindexing, "PAGE", 3)

    async def write() -> None:
        for n in range(10):
            assert (await http.put(f"/Observation/o{n}", json=pressure(f"o{n}", 170))).status_code == 200

    await asyncio.gather(records.reindex(ctx), records.reindex(ctx), write())
    assert (await answers(http))[1] == {f"o{n}" for n in range(10)}
    assert (await records.reindex(ctx, again=True)).renewed == 0


async def test_a_large_one_is_a_page_of_its_own(ctx: Ctx, monkeypatch: pytest.MonkeyPatch) -> None:
    await seed(ctx)
    monkeypatch.setattr(reindexing, "MOST_BYTES", 1)
    told: list[int] = []
    await records.reindex(ctx, lambda done, _: told.append(done), again=True)
    assert len(told) in (37, 38)  # the deleted one has no bytes and may go along with another
    assert told[-1] == 37


async def test_a_worker_does_it_by_itself(ctx: Ctx, http: httpx.AsyncClient) -> None:
    await seed(ctx)
    wanted = await answers(http)
    await as_before(ctx)
    reindexing.phrases._memories.clear()
    name = "records.reindex"
    worker = Worker(ctx.database, ctx.bus, ctx.clock, {name: JOBS[name]}, every={name: EVERY[name]})
    await worker._set_off()
    assert await worker.run_due() >= 1
    assert await answers(http) == wanted
