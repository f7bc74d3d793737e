"""From the rows of an earlier Bedside to today's schema and back, with clients attached, raced and killed."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import takewhile

import asyncpg
import pytest
from tests.foundation import earlier

from bedside.foundation import upgrade
from bedside.foundation.errors import Conflict
from bedside.foundation.migrate import LOCK, back, losses, migrate, standing, stuck
from bedside.foundation.steps import revisions, steps

pytestmark = pytest.mark.engine

THEN = earlier.REVISION
WAY = [each.revision for each in takewhile(lambda step: step.loses is not None, steps()[revisions().index(THEN) + 1 :])]
"""The steps after THEN that can go back, up to the first that cannot."""


async def acknowledge(connection: asyncpg.Connection, n: int) -> None:
    """A write as a program of then makes it: a pack of readings."""
    await connection.execute(
        """insert into monitoring.pack overriding system value select (jsonb_populate_record(p,
            jsonb_build_object('id', $1::bigint, 'received_at', now()))).* from monitoring.pack p
        order by id limit 1""",
        1_000_000 + n,
    )


async def kept_packs(connection: asyncpg.Connection) -> set[int]:
    return {row["id"] - 1_000_000 for row in await connection.fetch("select id from monitoring.pack where id > 999999")}


async def killed_in_the_middle(dsn: str, lines: int, within: float = 0.02) -> str:
    """A process that migrates, killed at random after it has said so many lines; where the database stands then."""
    body = "import asyncio, sys; from bedside.foundation.migrate import migrate; print(0, flush=True);"
    body += "asyncio.run(migrate(sys.argv[1], lambda line: print(line, flush=True)))"
    dying = await asyncio.create_subprocess_exec(
        sys.executable, "-c", body, dsn, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert dying.stdout is not None
    for _ in range(lines + 1):
        await dying.stdout.readline()
    await asyncio.sleep(random.uniform(0, within))
    with suppress(ProcessLookupError):  # it was quicker
        dying.kill()
    await dying.communicate()
    connection = await asyncpg.connect(dsn)
    try:
        return (await standing(connection)).revision or ""
    finally:
        await connection.close()


async def test_what_it_will_do_is_told_and_nothing_is_done(then: str) -> None:
    connection = await asyncpg.connect(then)
    before = earlier.schema(then)
    told = await upgrade.plan(connection)
    assert [step.revision for step, _ in told.steps] == revisions()[revisions().index(THEN) + 1 :]
    words = "\n".join(told.lines())
    assert f"The database is at {THEN}" in words
    assert "0027    access: duties by weekday" in words
    assert "access.duty, " in words
    assert "read through: reads and writes wait" in words
    assert "Estimate: about " in words
    assert earlier.schema(then) == before
    await migrate(then)
    assert (await upgrade.plan(connection)).steps == []
    await connection.close()


async def test_clients_go_on_while_the_steps_are_taken(then: str) -> None:
    """A writer, a reader that never sees less than before, and one that holds a table which a step needs."""
    watch = await asyncpg.connect(then)
    of = await earlier.columns(watch)
    before = await earlier.digest(watch, of)
    stop, waited, answered, waits, said = asyncio.Event(), asyncio.Event(), list[int](), list[float](), list[str]()

    async def write() -> None:
        mine = await asyncpg.connect(then)
        while not stop.is_set():
            await acknowledge(mine, len(answered))
            answered.append(len(answered))
        await mine.close()

    async def read() -> None:
        mine = await asyncpg.connect(then)
        seen = 0
        while not stop.is_set():
            begun = time.monotonic()
            many = await mine.fetchval("select count(*) from monitoring.pack, (select count(*) from access.duty) d")
            waits.append(time.monotonic() - begun)
            assert many >= seen
            seen = many
        await mine.close()

    def say(line: str) -> None:
        said.append(line)
        if "a client holds a table" in line:
            waited.set()

    async def hold() -> None:
        mine = await asyncpg.connect(then)
        async with mine.transaction():
            await mine.fetch("select * from access.duty")
            # Until it was in the way: on a busy machine the step that needs the table comes late.
            await asyncio.wait_for(waited.wait(), 60)
            # And while it is, the others go on.
            enough = len(answered) + 20
            async with asyncio.timeout(60):
                while len(answered) < enough:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
        await mine.close()

    holder = asyncio.create_task(hold())
    clients = [asyncio.create_task(each()) for each in (write, read)]
    await asyncio.sleep(0.2)
    taken = await migrate(then, say)
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.gather(holder, *clients)
    assert taken == len(revisions()) - 1 - revisions().index(THEN)
    assert waited.is_set()
    assert await kept_packs(watch) == set(answered)
    assert max(waits) < 20  # each wait for a lock ends after seconds, then clients have their turn
    await watch.execute("delete from monitoring.pack where id > 999999")
    assert await earlier.digest(watch, of) == before
    await watch.close()


async def test_back_again_keeps_what_then_could_know_and_names_the_rest(then: str) -> None:
    connection = await asyncpg.connect(then)
    of, straight = await earlier.columns(connection), earlier.schema(then)
    before = await earlier.digest(connection, of)
    await migrate(then, to=WAY[-1])
    assert await losses(connection, THEN) == {}
    await acknowledge(connection, 1)
    await connection.execute("insert into messaging.quiet values (1, 'nina', '22:00', '07:00')")
    await connection.execute(
        """insert into access.clinic
            (tenant, n, name, zone, country, language, units, telephone, emergency, by_name, at)
        values (1, 1, 'A', 'Europe/Madrid', 'ES', 'es', 'metric', '1', '112', 'B', now())"""
    )
    await connection.execute(
        """insert into messaging.notice (id, tenant, person, template, channel, subject, created, state)
        values
            ('a', 1, 'p', 't', 'email', 's', now(), 'bounced'),
            ('b', 1, 'p', 't', 'email', 's', now(), 'delivered')"""
    )
    lost = await losses(connection, THEN)
    assert lost == {
        "people's quiet hours": 1,
        "what was said of the clinic (name, numbers, place), each time": 1,
        "notices that did not arrive (they stand as held, and are nobody's work)": 1,
        "notices that were delivered (they stand as sent)": 1,
    }
    now = earlier.schema(then)
    with pytest.raises(Conflict, match="more would be lost"):
        await back(then, THEN, {})
    assert earlier.schema(then) == now
    assert await back(then, THEN, lost) == len(WAY)
    assert (await standing(connection)).revision == THEN
    assert earlier.schema(then) == straight
    assert await kept_packs(connection) == {1}
    notices = await connection.fetch("select id, state from messaging.notice where template = 't' order by id")
    assert [tuple(each) for each in notices] == [("a", "held"), ("b", "sent")]
    await connection.execute("delete from monitoring.pack where id > 999999")
    await connection.execute("delete from messaging.notice where template = 't'")
    assert await earlier.digest(connection, of) == before
    assert await migrate(then, to=WAY[-1]) == len(WAY)
    assert earlier.schema(then) == now
    await connection.close()


async def test_what_the_judge_remembers_is_read_by_the_program_of_then(then: str) -> None:
    """Which met numbers where it wrote ISO 8601, and stored no pack any more."""
    at = datetime(2026, 11, 30, 2, 28, 20, 748001, tzinfo=UTC)
    row = [
        "a",
        "systolic",
        120.5,
        "mm[Hg]",
        round(at.timestamp() * 1e6),
        round(at.timestamp() * 1e6),
        "d",
        "device",
        [],
    ]
    await migrate(then, to=WAY[-1])
    connection = await asyncpg.connect(then)
    kept = (json.dumps({"systolic": row}), json.dumps({"systolic": [row, [*row[:2], 121, *row[3:]]]}))
    await connection.execute(
        "insert into monitoring.watch (tenant, patient, newest, weights, recent) values (1, 'p', $1, '{}', $2)", *kept
    )
    assert await back(then, THEN, {}) == len(WAY)
    found = await connection.fetchrow("select newest, weights, recent from monitoring.watch where patient = 'p'")
    newest, weights, recent = (json.loads(found[name]) for name in ("newest", "weights", "recent"))
    assert [datetime.fromisoformat(newest["systolic"][n]) for n in (4, 5)] == [at, at]
    assert [*newest["systolic"][:4], *newest["systolic"][6:]] == [*row[:4], *row[6:]]
    assert (weights, [one[2] for one in recent["systolic"]]) == ({}, [120.5, 121])
    await connection.close()


async def test_a_step_that_cannot_go_back_is_named_and_nobody_may_be_there(then: str) -> None:
    connection = await asyncpg.connect(then)
    assert await losses(connection, "0025") is None
    assert [line.split()[0] for line in await stuck(connection, "0025")] == [THEN]
    with pytest.raises(Conflict, match="cannot go back"):
        await back(then, "0025", {})
    with pytest.raises(Conflict, match="no revision before"):
        await losses(connection, revisions()[-1])
    await migrate(then, to=WAY[-1])
    other = await asyncpg.connect(then, server_settings={"application_name": "bedside web"})
    with pytest.raises(Conflict, match="still works on this database: bedside web"):
        await back(then, THEN, {})
    await other.close()
    await connection.close()


async def test_the_second_waits_and_says_for_whom(then: str) -> None:
    first = await asyncpg.connect(then, server_settings={"application_name": "bedside migrate (elsewhere, process 7)"})
    await first.execute("select pg_advisory_lock($1)", LOCK)
    said: asyncio.Queue[str] = asyncio.Queue()
    second = asyncio.create_task(migrate(then, said.put_nowait))
    assert "waiting for bedside migrate (elsewhere, process 7), since " in await asyncio.wait_for(said.get(), 30)
    assert (await standing(first)).revision == THEN
    await first.close()
    assert await second > 0


async def test_a_newer_database_is_refused_by_its_version(then: str) -> None:
    connection = await asyncpg.connect(then)
    await connection.execute("update foundation.alembic_version set version_num = '9001'")
    await connection.execute("comment on table foundation.alembic_version is 'Bedside 9.2.0'")
    before = earlier.schema(then)
    with pytest.raises(Conflict, match=r"made by a newer Bedside \(9.2.0, revision 9001; this is "):
        await migrate(then)
    assert earlier.schema(then) == before
    await connection.close()


async def test_killed_at_any_moment_it_goes_on_to_the_same_schema(then: str, database_url: str) -> None:
    """One before its first step, the others soon after one."""
    straight = earlier.schema(database_url)
    connection = await asyncpg.connect(then)
    of = await earlier.columns(connection)
    before = await earlier.digest(connection, of)
    stands = [await killed_in_the_middle(then, lines) for lines in (0, 1, 1, 1, 1)]
    await migrate(then)
    print(f"\nkilled at {stands}")
    assert stands == sorted(stands, key=revisions().index)
    assert earlier.schema(then) == straight
    assert await earlier.digest(connection, of) == before
    await connection.close()
