"""A process of ours that answers: in order, with its failures, and gone when it should be."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from pathlib import Path

import pytest

from bedside.foundation.errand import Errand
from bedside.foundation.errors import Unavailable

pytestmark = pytest.mark.engine

MODULE = """
import asyncio, sys
from contextlib import asynccontextmanager
from bedside.foundation.errand import attend
from bedside.foundation.errors import Unavailable

@asynccontextmanager
async def begin(opening):
    async def handle(message):
        print("this goes elsewhere")
        if message == b"away":
            raise Unavailable("The database is away.", remedy="Wait.")
        if message == b"broken":
            raise ZeroDivisionError
        return opening + message
    yield handle

asyncio.run(attend(begin))
"""
PARENT = """
import asyncio, sys
from bedside.foundation.errand import Errand

async def main():
    errand = await Errand.start("an_errand", b"")
    await errand.ask(b"")
    print(errand.pid, flush=True)
    await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "an_errand.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))


async def test_answers_in_order() -> None:
    errand = await Errand.start("an_errand", b"to ")
    try:
        asked = [str(n).encode() * 100_000 for n in range(5)]
        assert await asyncio.gather(*map(errand.ask, asked)) == [b"to " + one for one in asked]
        with pytest.raises(Unavailable, match="The database is away"):
            await errand.ask(b"away")
        assert await errand.ask(b"x") == b"to x"
        with pytest.raises(Unavailable, match="A part of the program ended"):
            await errand.ask(b"broken")
    finally:
        await errand.close()
    with pytest.raises(ProcessLookupError):
        os.kill(errand.pid, 0)


async def test_ends_with_its_parent() -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", PARENT, stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(await parent.stdout.readline())
    watched = os.pidfd_open(pid)
    try:
        parent.send_signal(signal.SIGKILL)
        await parent.wait()
        ended, _, _ = await asyncio.to_thread(select.select, [watched], [], [], 20)
        assert ended
    finally:
        os.close(watched)
