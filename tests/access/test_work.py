"""One transaction, one audit entry, durable before the answer."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from bedside import access
from bedside.access.service.unit import committer
from bedside.access.testing import acting, someone
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Connection
from bedside.foundation.errors import Conflict, Forbidden

pytestmark = pytest.mark.engine


async def entries(ctx: Ctx) -> list[dict[str, object]]:
    async with ctx.database.connection() as sql:
        return [dict(row) for row in await sql.fetch("select * from access.audit order by seq")]


async def test_a_write_and_its_entry_stand_or_fall_together(ctx: Ctx) -> None:
    with pytest.raises(RuntimeError):
        async with access.work(ctx, "placed") as inner:
            await access.add_place(inner, "icu", "ICU", "ward")
            raise RuntimeError
    assert await entries(ctx) == []
    async with access.work(ctx, "placed") as inner:
        await access.add_place(inner, "icu", "ICU", "ward")
        await access.place_patient(inner, "ann", "icu")
        await access.place_patient(inner, "bob", "icu")
    [entry] = await entries(ctx)
    assert (entry["action"], entry["patients"]) == ("placed", {"ann": "U", "bob": "U"})
    assert (entry["outcome"], entry["wrote"], entry["origin"]) == ("allowed", True, "tests")


async def test_a_refusal_is_kept_though_the_work_is_not(ctx: Ctx) -> None:
    me = acting(ctx, await someone(ctx, "administrator"))
    with pytest.raises(Forbidden):
        async with access.work(me, "opened the chart", readonly=True) as inner:
            await access.authorise(inner, "ann", "R", what="Condition")
    last = (await entries(ctx))[-1]
    assert (last["outcome"], last["patients"], last["refused"]) == ("refused", {"ann": "R"}, "R Condition")
    assert last["actor"] == me.actor.id


async def test_a_failure_that_touched_a_patient_is_kept(ctx: Ctx) -> None:
    with pytest.raises(Conflict):
        async with access.work(ctx, "signed") as inner:
            await access.authorise(inner, "ann", "U", what="Composition")
            raise Conflict("It is signed already.")
    [entry] = await entries(ctx)
    assert entry["outcome"] == "failed"


async def test_work_without_patients_leaves_no_entry(ctx: Ctx) -> None:
    async with access.work(ctx, "woke up", readonly=True) as inner:
        await access.places(inner)
    async with access.work(ctx, "woke up"):
        pass
    assert await entries(ctx) == []


async def test_work_within_work_joins_it(ctx: Ctx) -> None:
    async with (
        access.work(ctx, "outer") as outer,
        access.work(outer, "inner") as inner,
    ):
        await access.add_place(inner, "icu", "ICU", "ward")
        assert inner.sql is outer.sql
    assert [entry["action"] for entry in await entries(ctx)] == ["outer"]


async def test_concurrent_reads_share_commits(ctx: Ctx) -> None:
    async def read(n: int) -> None:
        async with access.work(ctx, "looked", readonly=True) as inner:
            await access.authorise(inner, f"p{n}", "R", what="Observation")
        assert any(f"p{n}" in str(entry["patients"]) for entry in await entries(ctx))

    await asyncio.gather(*(read(n) for n in range(40)))
    found = await entries(ctx)
    assert sorted(next(iter(entry["patients"])) for entry in found) == sorted(f"p{n}" for n in range(40))  # type: ignore[call-overload]
    assert 1 <= committer(ctx.database).rounds < 40


async def test_effects_follow_the_commit_and_never_a_rollback(ctx: Ctx) -> None:
    seen: list[str] = []

    async def effect() -> None:
        seen.append("ran")

    async def broken() -> None:
        raise ValueError("a moment was lost")

    with pytest.raises(RuntimeError):
        async with access.work(ctx, "wrote") as inner:
            inner.then(effect)
            raise RuntimeError
    assert seen == []
    async with access.work(ctx, "wrote") as inner:
        inner.then(broken)
        inner.then(effect)
        assert seen == []
    assert seen == ["ran"]


async def test_a_read_only_work_cannot_write(ctx: Ctx) -> None:
    with pytest.raises(Exception, match="read-only"):
        async with access.work(ctx, "looked", readonly=True) as inner:
            await access.add_place(inner, "icu", "ICU", "ward")


async def test_the_patient_reads_who_looked_and_who_was_refused(ctx: Ctx) -> None:
    ann = acting(ctx, await someone(ctx, "patient", patient="ann"))
    doctor = await someone(ctx, "clinician", name="Dr Ruiz")
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, doctor), "opened the chart", readonly=True) as inner:
            await access.authorise(inner, "ann", "R", what="Condition")
    async with access.work(ann, "read who looked", readonly=True) as inner:
        lines = await access.who_looked(inner, "ann")
    assert [(line.actor_name, line.action, line.outcome) for line in lines] == [
        ("Dr Ruiz", "opened the chart", "refused")
    ]
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, doctor), "read who looked", readonly=True) as inner:
            await access.who_looked(inner, "ann")


async def _note(inner: Ctx, patient: str) -> str:
    await access.authorise(inner, patient, "C", what="Observation")
    return patient


async def _place(sql: Connection, tenant: int, names: list[str]) -> None:
    await sql.executemany(
        "insert into access.place (tenant, id, name, kind) values ($1, $2, $2, 'ward')", [(tenant, n) for n in names]
    )


async def test_writes_of_one_moment_share_a_transaction_and_each_has_its_entry(ctx: Ctx) -> None:
    await asyncio.gather(*(access.share(ctx, "noted", partial(_note, patient=f"p{n}"), _place) for n in range(20)))
    async with ctx.database.connection() as sql:
        rows = await sql.fetch("select id, xmin::text as tx from access.place")
        audit = await sql.fetch("select patients, wrote, xmin::text as tx from access.audit")
    assert sorted(row["id"] for row in rows) == sorted(f"p{n}" for n in range(20))
    # The entry of a write is in the write's own transaction.
    assert {(row["id"], row["tx"]) for row in rows} == {(next(iter(row["patients"])), row["tx"]) for row in audit}
    assert len({row["tx"] for row in rows}) < 20


async def test_what_one_cannot_write_fails_it_alone(ctx: Ctx) -> None:
    await access.share(ctx, "noted", partial(_note, patient="twice"), _place)
    results = await asyncio.gather(
        *(access.share(ctx, "noted", partial(_note, patient=p), _place) for p in ("a", "twice", "b")),
        return_exceptions=True,
    )
    assert [type(one).__name__ for one in results] == ["str", "UniqueViolationError", "str"]
    async with ctx.database.connection() as sql:
        assert {row["id"] for row in await sql.fetch("select id from access.place")} == {"a", "b", "twice"}
        assert await sql.fetchval("select count(*) from access.audit where outcome = 'allowed'") == 3


async def test_a_refused_share_writes_nothing_and_is_audited(ctx: Ctx) -> None:
    reader = ctx.with_(actor=Actor("client", "c1", "reads only", scopes=frozenset({"system/*.rs"})))
    with pytest.raises(Forbidden):
        await access.share(reader, "noted", partial(_note, patient="ann"), _place)
    [entry] = await entries(ctx)
    assert (entry["outcome"], entry["patients"]) == ("refused", {"ann": "C"})
