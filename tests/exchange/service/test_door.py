"""The door's limits on real sockets: order, stalls, strangers to the protocol, too many, an end in good order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from bedside.exchange.model.framing import Block, framed
from bedside.exchange.service import door as door_
from bedside.exchange.service.door import Door

pytestmark = pytest.mark.engine

Link = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def echo(block: Block, peer: str) -> list[bytes]:
    await asyncio.sleep(0.01 if block.message == b"slow" else 0)
    return [framed(block.message if block.whole else b"broken: " + block.why.encode())]


@asynccontextmanager
async def opened(
    receive: Callable[[Block, str], Awaitable[list[bytes]]] = echo, **limits: float
) -> AsyncIterator[tuple[Door, Callable[[], Awaitable[Link]]]]:
    """A door, and how to connect to it."""
    served = Door(receive, **limits)
    server = await asyncio.start_server(served.connection, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    links: list[Link] = []

    async def connect() -> Link:
        links.append(await asyncio.open_connection("127.0.0.1", port))
        return links[-1]

    try:
        yield served, connect
    finally:
        server.close()
        await served.stop(0.5)
        for _, writer in links:
            writer.close()


async def heard(link: Link, many: int) -> list[bytes]:
    return [(await asyncio.wait_for(link[0].readuntil(b"\x1c\r"), 30)).strip(b"\x0b\x1c\r") for _ in range(many)]


async def closed(link: Link) -> bool:
    """That the door ends it, and says nothing more."""
    with contextlib.suppress(ConnectionError):  # where something was still on its way to it
        return await asyncio.wait_for(link[0].read(), 30) == b""
    return True


async def test_answers_come_in_the_order_of_the_messages() -> None:
    async with opened() as (_, connect):
        link = await connect()
        link[1].write(framed(b"slow") + framed(b"two") + b"\x0bthr")
        await asyncio.sleep(0.05)
        link[1].write(b"ee\x1c\r")
        assert await heard(link, 3) == [b"slow", b"two", b"three"]


async def test_one_that_stalls_in_a_message_is_answered_and_closed_and_holds_nobody_up() -> None:
    async with opened(stall=0.3) as (_, connect):
        slow, other = await connect(), await connect()
        slow[1].write(b"\x0bMSH")
        other[1].write(framed(b"one"))
        assert await heard(other, 1) == [b"one"]

        async def drip() -> None:
            while True:  # a byte now and then does not keep it open
                await asyncio.sleep(0.05)
                slow[1].write(b"x")

        dripping = asyncio.create_task(drip())
        try:
            assert (await heard(slow, 1))[0].startswith(b"broken: no end of block")
        finally:
            dripping.cancel()
            await asyncio.gather(dripping, return_exceptions=True)
        assert await closed(slow)


async def test_an_idle_connection_is_closed_in_the_end() -> None:
    async with opened(idle=0.2) as (_, connect):
        assert await closed(await connect())


async def test_what_speaks_something_else_is_closed() -> None:
    async with opened() as (_, connect):
        link = await connect()
        link[1].write(b"x" * (door_.GARBAGE + 1))
        assert await closed(link)


async def test_one_address_has_so_many_connections_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door_, "MOST_OF_ONE", 2)
    async with opened() as (served, connect):
        first, second, third = await connect(), await connect(), await connect()
        assert await closed(third)
        first[1].close()
        second[1].write(framed(b"one"))
        assert await heard(second, 1) == [b"one"]
        async with asyncio.timeout(30):
            while served._peers.total() > 1:  # noqa: ASYNC110 - until the door has seen that the first left
                await asyncio.sleep(0.01)
        fourth = await connect()
        fourth[1].write(framed(b"two"))
        assert await heard(fourth, 1) == [b"two"]


async def test_the_message_in_work_is_answered_before_the_end() -> None:
    begun = asyncio.Event()

    async def slow(block: Block, peer: str) -> list[bytes]:
        begun.set()
        await asyncio.sleep(0.2)
        return [framed(block.message)]

    async with opened(slow) as (served, connect):
        busy, idle = await connect(), await connect()
        busy[1].write(framed(b"one"))
        await begun.wait()
        await served.stop(20)
        assert await heard(busy, 1) == [b"one"]
        assert await closed(idle)
