"""PostgreSQL: the pool and the transaction. SQL itself lives in each room's store."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import asyncpg
import orjson

from bedside.foundation.errors import Unavailable
from bedside.foundation.together import Together

# asyncpg ships no types; an asyncpg.pool.PoolConnectionProxy.
Connection: TypeAlias = Any
T = TypeVar("T")
K = TypeVar("K")

RETRYABLE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)

LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)
"""What a statement raises when PostgreSQL ends or is killed under it. Whether a COMMIT was kept is then unknown."""

OWN_FAULT = (asyncpg.DataError, asyncpg.QueryCanceledError)
"""What the arguments of one question can raise, before they are sent or by the server, and its time limit."""

ABREAST = 2
"""Statements of one unit of work under way at a time: each takes a connection."""

PULSE, MISSES = 3.0, 2
"""Seconds that an answer to nothing may take, and how often it may fail to come, before a server counts as silent."""

SHAPES = 200
"""Texts of statements that are remembered as asked by several at once."""

UNSAFE = (
    # setting, the values that keep the promise, what breaks otherwise
    ("fsync", ("on",)),
    ("full_page_writes", ("on",)),
    ("synchronous_commit", ("on", "remote_write", "remote_apply")),
    ("data_checksums", ("on",)),
)


UNREACHABLE = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What asyncpg raises where no connection comes about."""


def unreachable(error: Exception) -> Unavailable:
    """The error to raise instead, with what the operator can do about it."""
    match error:
        case asyncpg.InvalidAuthorizationSpecificationError():
            remedy = "It refuses this user name or password: correct --database-url."
        case asyncpg.InvalidCatalogNameError():
            remedy = "It has no database of this name: create it, or correct --database-url."
        case asyncpg.ClientConfigurationError():
            remedy = "--database-url is written postgresql://USER:PASSWORD@HOST:PORT/DATABASE."
        case _:
            remedy = "Check --database-url and that PostgreSQL runs."
    return Unavailable("The database cannot be reached.", remedy=remedy)


async def _prepare(connection: Connection) -> None:
    """jsonb and json travel as Python objects."""
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, schema="pg_catalog", encoder=lambda v: orjson.dumps(v).decode(), decoder=orjson.loads
        )


def texts(values: Iterable[Any]) -> list[str]:
    """Each as JSON, for a parameter of text[] that the statement casts element by element: a jsonb[] is sent with every
    quote of it escaped, which costs both sides more than the JSON itself."""
    return [orjson.dumps(value).decode() for value in values]


async def _leave(_: Connection) -> None:
    """Nothing to undo when a connection goes back to the pool, and so no round trip for it.

    No room changes its session: settings and advisory locks last for a transaction, and whoever listens keeps its
    connection and stops listening itself.
    """


def _cut(connection: Connection) -> bool:
    """Whether the link is gone; the pool has then already taken the connection back, and it answers nothing."""
    try:
        return bool(connection.is_closed())
    except asyncpg.InterfaceError:
        return True


@asynccontextmanager
async def _borrowed(pool: asyncpg.Pool) -> AsyncIterator[Connection]:
    """A connection of the pool, made now where none lies in it. Raises Unavailable where it was cut in that moment."""
    try:
        connection = await pool.acquire(timeout=10)
    except (*LOST, asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise Unavailable("The database went away.", remedy="Try again in a few seconds.") from error
    try:
        yield connection
    finally:
        await pool.release(connection)


async def _pool(dsn: str, least: int, most: int, name: str, **settings: str) -> asyncpg.Pool:
    return await asyncpg.create_pool(
        dsn,
        min_size=least,
        max_size=most,
        init=_prepare,
        reset=_leave,
        max_inactive_connection_lifetime=60,
        command_timeout=60,
        server_settings={"application_name": name, "timezone": "UTC", **settings},
    )


class Alike(NamedTuple):
    """A statement that others ask at the same moment with other arguments. query: its last placeholder is one more than
    the arguments are, and it selects it as `asked` (int), the number by which a row tells whose it is."""

    query: str
    arguments: Sequence[Any]


class Reader:
    """The connection of a unit of work that only reads: borrowed when the first statement comes.

    Its session refuses writes, and each statement sees what was committed when it began, as in any transaction at
    PostgreSQL's usual level; so nothing is begun or committed, which would be two more round trips.
    """

    __slots__ = ("_borrowed", "_database", "_held")

    def __init__(self, database: Database) -> None:
        self._database = database
        self._borrowed: AbstractAsyncContextManager[Connection] | None = None
        self._held: Connection | None = None

    async def alike(self, questions: Sequence[Alike]) -> list[list[Any]]:
        """As Database.alike, one after another by its own connection once it has one."""
        if self._held is not None:
            return [await self.fetch(one.query, *one.arguments, 0) for one in questions]
        return await self._database.alike(questions)

    async def __aenter__(self) -> Reader:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._borrowed is not None:
            borrowed, self._borrowed = self._borrowed, None
            await borrowed.__aexit__(kind, error, trace)

    async def _connection(self) -> Connection:
        if self._held is None:
            borrowed = self._database.connection(reading=True)
            self._held = await borrowed.__aenter__()
            self._borrowed = borrowed
        return self._held

    async def fetch(self, query: str, *arguments: object) -> list[Any]:
        """All rows."""
        found: list[Any] = await (await self._connection()).fetch(query, *arguments)
        return found

    async def fetchrow(self, query: str, *arguments: object) -> Any:
        """The first row, or None."""
        return await (await self._connection()).fetchrow(query, *arguments)

    async def fetchval(self, query: str, *arguments: object) -> Any:
        """The first column of the first row, or None."""
        return await (await self._connection()).fetchval(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> str:
        """The statement's tag. PostgreSQL refuses what would write."""
        return str(await (await self._connection()).execute(query, *arguments))

    async def together(self, ask: Callable[[Connection, list[K]], Awaitable[Sequence[T]]], question: K) -> T:
        """As Database.together; by its own connection once it has one: whoever holds one must not wait for another."""
        if self._held is not None:
            return (await ask(self._held, [question]))[0]
        return await self._database.together(ask, question)


async def _each_alike(sql: Connection, query: str, all_: list[Sequence[Any]]) -> Sequence[list[Any] | Exception]:
    if len(all_) > 1:
        with suppress(*OWN_FAULT):
            answers: list[list[Any]] = [[] for _ in all_]
            for row in await sql.fetchmany(query, [(*arguments, n) for n, arguments in enumerate(all_)]):
                answers[row["asked"]].append(row)
            return answers
    alone: list[list[Any] | Exception] = []
    for arguments in all_:
        try:
            alone.append(await sql.fetch(query, *arguments, 0))
        except OWN_FAULT as error:
            alone.append(error)
    return alone


class Database:
    """Connections to one PostgreSQL: a pool for writing, one whose sessions only read."""

    def __init__(self, pool: asyncpg.Pool, readers: asyncpg.Pool, dsn: str = "") -> None:
        self._pool, self._readers, self._dsn = pool, readers, dsn
        self._together: dict[Any, Together[Any, Any]] = {}
        self._alike: dict[str, Together[Sequence[Any], list[Any] | Exception]] = {}
        self._lent: set[Connection] = set()
        self.silent = False
        """Whether the server takes what is asked and answers nothing, as `watch` found."""

    async def watch(self) -> None:
        """For as long as it runs: ask the server how it is. One that is frozen (a disk that does not answer, a machine
        that swaps) would hold everybody for a minute; once it is silent twice, who waits is told, and who comes is
        told at once, until it answers again.
        """
        misses = 0
        link: Connection | None = None
        while True:
            try:
                async with asyncio.timeout(PULSE):
                    link = link or await self._pulse_link()
                    await link.fetchval("select 1")
                misses, self.silent = 0, False
            except (TimeoutError, *UNREACHABLE) as error:
                if link is not None:
                    link.terminate()
                link = None
                # A server that is gone says so itself, to whoever asks.
                misses = misses + 1 if isinstance(error, TimeoutError) else 0
                if misses >= MISSES:
                    self.silent = True
                    for one in list(self._lent):
                        with suppress(asyncpg.InterfaceError):
                            one.terminate()
            except asyncio.CancelledError:
                if link is not None:
                    link.terminate()
                raise
            await asyncio.sleep(0.5 if misses else PULSE)

    async def _pulse_link(self) -> Connection:
        # Not of the pool: that may be all lent out, which is no silence.
        return await asyncpg.connect(self._dsn, server_settings={"application_name": "bedside pulse"})

    @classmethod
    async def connect(
        cls,
        dsn: str,
        *,
        size: int = 4,
        name: str = "bedside",
        idle: float | None = None,
        patience: float | None = None,
    ) -> Database:
        """Open the pools. size: most connections that may write at once; half as many only read. idle: seconds after
        which PostgreSQL ends a transaction in which nothing is asked, for processes whose locks others wait for: one
        that is stopped in the middle must not keep them. patience: seconds that a statement waits for what another
        holds, where somebody waits for the answer.

        Raises Unavailable when the server cannot be reached.
        """
        try:
            waits = {} if patience is None else {"lock_timeout": f"{round(patience * 1000)}ms"}
            limits = {} if idle is None else {"idle_in_transaction_session_timeout": f"{round(idle * 1000)}ms"}
            pool = await _pool(dsn, 1, size, name, **waits, **limits)
            readers = await _pool(
                dsn, 0, max(2, size // 2), f"{name} reading", default_transaction_read_only="on", **waits
            )
        except UNREACHABLE as error:
            raise unreachable(error) from error
        return cls(pool, readers, dsn)

    async def close(self) -> None:
        """Close every connection, waiting at most 3 s for work under way."""
        try:
            await asyncio.wait_for(asyncio.gather(self._pool.close(), self._readers.close()), 3)
        except TimeoutError:
            self._pool.terminate()
            self._readers.terminate()

    @asynccontextmanager
    async def connection(self, *, reading: bool = False) -> AsyncIterator[Connection]:
        """A connection without a transaction: for LISTEN, COPY tools and health checks. reading: it refuses writes."""
        pool = self._readers if reading else self._pool
        if self.silent:
            raise Unavailable("The database is not answering.", remedy="Try again in a few seconds.")
        try:
            async with _borrowed(pool) as connection:
                self._lent.add(connection)
                try:
                    yield connection
                except asyncpg.LockNotAvailableError as error:
                    raise Unavailable(
                        "Somebody holds what this needs.", remedy="Try again in a few seconds; nothing was kept."
                    ) from error
                except LOST as error:
                    raise Unavailable("The database went away.", remedy="Try again in a few seconds.") from error
                except asyncpg.InsufficientResourcesError as error:
                    full = isinstance(error, asyncpg.DiskFullError)
                    raise Unavailable(
                        "The database's disk is full." if full else "The database has no room for this.",
                        remedy="Nothing was kept. Tell who runs the server; bedside doctor says what to do.",
                    ) from error
                except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
                    # Also what a misused connection raises: that is a fault of ours and stays one. A connection that
                    # was cut while it lay in the pool may not know yet that it is closed: it is not used again.
                    if not (_cut(connection) or isinstance(error, asyncpg.InternalClientError)):
                        raise
                    with suppress(asyncpg.InterfaceError):
                        connection.terminate()
                    raise Unavailable("The database went away.", remedy="Try again in a few seconds.") from error
                finally:
                    self._lent.discard(connection)
        except (OSError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError, TimeoutError) as error:
            raise Unavailable("The database is not answering.", remedy="Try again in a few seconds.") from error

    @asynccontextmanager
    async def transaction(self, *, isolation: str | None = None, readonly: bool = False) -> AsyncIterator[Connection]:
        """BEGIN … COMMIT; ROLLBACK when the body raises. isolation: None, 'repeatable_read' or 'serializable'."""
        async with self.connection() as connection, connection.transaction(isolation=isolation, readonly=readonly):
            yield connection

    def reading(self) -> Reader:
        """Statements that only read, one snapshot each: see Reader."""
        return Reader(self)

    def together(self, ask: Callable[[Connection, list[K]], Awaitable[Sequence[T]]], question: K) -> Awaitable[T]:
        """The answer to a question that only reads; those who ask at the same moment share a round."""
        found = self._together.get(ask)
        if found is None:

            async def rounds(questions: list[K]) -> Sequence[T]:
                async with self.connection(reading=True) as sql:
                    return await ask(sql, questions)

            found = self._together[ask] = Together(rounds)
        return cast(Awaitable[T], found(question))

    async def alike(self, questions: Sequence[Alike]) -> list[list[Any]]:
        """The rows of each statement, two under way at a time; those of one text that several callers ask at the same
        moment travel as one message. What one of them cannot ask fails it alone.
        """
        answers: list[list[Any]] = []
        for first in range(0, len(questions), ABREAST):
            now = questions[first : first + ABREAST]
            for found in await asyncio.gather(*(self._alike_of(one.query)(one.arguments) for one in now)):
                if isinstance(found, Exception):
                    raise found
                answers.append(found)
        return answers

    def _alike_of(self, query: str) -> Together[Sequence[Any], list[Any] | Exception]:
        found = self._alike.get(query)
        if found is None:
            if len(self._alike) >= SHAPES:
                self._alike = {text: one for text, one in self._alike.items() if not one.idle}

            async def rounds(all_: list[Sequence[Any]]) -> Sequence[list[Any] | Exception]:
                async with self.connection(reading=True) as sql:
                    return await _each_alike(sql, query, all_)

            found = self._alike[query] = Together(rounds, most=16, lanes=2)
        return found

    async def attempt(self, work: Callable[[], Awaitable[T]], tries: int = 5) -> T:
        """Run work again, with growing waits, when PostgreSQL says that it lost a race (40001, 40P01)."""
        for n in range(tries):
            try:
                return await work()
            except RETRYABLE:
                if n == tries - 1:
                    raise
                await asyncio.sleep(random.uniform(0, 0.01 * 2**n))  # noqa: S311 - spreads retries, no secret
        raise AssertionError("unreachable")

    async def unsafe_settings(self) -> list[str]:
        """The settings that would break the promise that acknowledged means durable, each with its remedy."""
        async with self.connection() as connection:
            found: list[str] = []
            for name, good in UNSAFE:
                value = await connection.fetchval("select current_setting($1)", name)
                if value not in good:
                    remedy = (
                        "run pg_checksums --enable with the server stopped"
                        if name == "data_checksums"
                        else f"set {name} = on in postgresql.conf and reload"
                    )
                    found.append(f"{name} is {value}: {remedy}")
            return found


Row = dict[str, Any]
