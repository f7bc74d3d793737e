"""The fixtures stand: a migrated database of its own for each test, a bus, a clock that stands still."""

import asyncio
from contextlib import suppress
from typing import cast

import asyncpg
import pytest

from bedside.foundation.bus import Bus
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.database import Alike, Database
from bedside.foundation.errors import Unavailable
from bedside.foundation.migrate import migrate, revisions, standing

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("turn", [1, 2])
async def test_each_test_has_its_own_database(database: Database, turn: int) -> None:
    async with database.transaction() as sql:
        await sql.execute("create table public.mine (n int)")
        await sql.execute("insert into public.mine values ($1)", turn)
    async with database.connection() as sql:
        assert await sql.fetchval("select n from public.mine") == turn


async def test_a_fresh_cluster_keeps_its_promises(database: Database) -> None:
    assert await database.unsafe_settings() == []
    async with database.connection() as sql:
        unlogged = await sql.fetch("select relname from pg_class where relpersistence = 'u'")
        assert await sql.fetchval("show dynamic_shared_memory_type") == "mmap"  # posix would leave files in /dev/shm
    assert unlogged == []


async def test_migrating_twice_does_nothing_and_racing_is_safe(database_url: str, database: Database) -> None:
    assert await asyncio.gather(*(migrate(database_url) for _ in range(3))) == [0, 0, 0]
    async with database.connection() as sql:
        assert (await standing(sql)).revision == revisions()[-1]


async def test_a_database_that_goes_away_is_said_to_be_away(database: Database) -> None:
    kill = (
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    for _ in range(10):
        with pytest.raises(Unavailable):
            async with database.transaction() as victim:
                async with database.connection() as other:
                    await other.execute(kill)
                await victim.execute("select 1")
    # Cut while it lay in the pool: away, or already replaced, and never a fault of ours.
    for _ in range(10):
        async with database.connection() as killer:
            async with database.connection() as idle:
                await idle.execute("select 1")
            await killer.execute(kill)
            with suppress(Unavailable):
                async with database.transaction() as sql:
                    assert await sql.fetchval("select 1") == 1
    async with database.transaction() as sql:
        with pytest.raises(asyncpg.InterfaceError):
            await sql.fetch("select 1", "one argument too many")


async def test_the_bus_carries_a_moment(bus: Bus) -> None:
    seen: asyncio.Future[object] = asyncio.get_running_loop().create_future()

    async def receive(_: str, payload: object) -> None:
        seen.set_result(payload)

    await bus.subscribe("tests.moment", receive)
    await bus.publish("tests.moment", {"a": 1})
    assert await asyncio.wait_for(seen, 30) == {"a": 1}


async def test_the_ctx_tells_the_turned_time(ctx: Ctx, clock: TurnableClock) -> None:
    assert ctx.clock.now() == clock.now()


async def test_statements_alike_share_a_message_and_each_gets_its_own_rows(database: Database) -> None:
    text = "select n, $2::int as asked from generate_series(1, 6 / $1::int) n"
    other = "select $1::text as n, $2::int as asked"

    async def ask(n: int) -> list[int]:
        one, two = await database.alike([Alike(text, (n,)), Alike(other, (str(n),))])
        assert [row["n"] for row in two] == [str(n)]
        return [row["n"] for row in one]

    found = await asyncio.gather(*(ask(n) for n in (1, 2, 3, 6, 2, 7, 0, 1)), return_exceptions=True)
    assert found[:6] == [[1, 2, 3, 4, 5, 6], [1, 2, 3], [1, 2], [1], [1, 2, 3], []]
    assert isinstance(found[6], asyncpg.DivisionByZeroError)  # by zero: its own fault, nobody else's
    assert found[7] == [1, 2, 3, 4, 5, 6]
    wrong = await asyncio.gather(
        *(database.alike([Alike(text, (n,))]) for n in ("x", 3)), return_exceptions=True
    )  # asyncpg cannot send the first
    assert isinstance(wrong[0], asyncpg.DataError)
    assert not isinstance(wrong[1], BaseException)
    async with database.reading() as reader:
        await reader.fetchval("select 1")  # holds a connection now
        rows = (await reader.alike([Alike(text, (3,))]))[0]
        assert [row["n"] for row in rows] == [1, 2]


@pytest.mark.parametrize(("code", "said"), [("53100", "disk is full"), ("53200", "no room")])
async def test_a_server_without_room_is_said_in_words(database: Database, code: str, said: str) -> None:
    with pytest.raises(Unavailable, match=said):
        async with database.connection() as sql:
            await sql.execute(f"do $$ begin raise exception 'full' using errcode = '{code}'; end $$")


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("unexpected state"),
    ],
)
async def test_a_connection_that_is_cut_while_it_is_made_is_a_database_that_went_away(error: Exception) -> None:
    class Cut:
        async def acquire(self, **_: float) -> None:
            raise error

    pool = cast(asyncpg.Pool, Cut())
    with pytest.raises(Unavailable) as told:
        async with Database(pool, pool).connection():
            pass
    assert told.value.remedy
