"""Bytes that look like HL7 v2 and are not quite: for the quick test and for the long one (make soak)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from structlog.testing import capture_logs
from tests.exchange.oru import MMHG, PERCENT, PID, SPO2, SYSTOLIC, msh, obx, oru

from bedside.exchange.model.framing import Deframer, framed
from bedside.exchange.service.receiving import receive
from bedside.foundation.context import Ctx

SEEDS = [
    oru(),
    oru(obx(), obx(SPO2, "97", PERCENT), obx(SYSTOLIC, "120", MMHG)),
    oru(obx(kind="SN", value="=^80"), obx(kind="SN", value=">^300"), obx(kind="TX", value="n/a")),
    oru(obx(status="C"), obx(status="D", value=""), obx(status="W", value="")),
    oru(head=msh(acks="AL|AL", charset="8859/1"), pid="PID|||4711^^^WARD||N\xfa\xf1ez^\\XF1\\"),
    oru(head=msh(version="2.3"), obr="OBR|1||||||20261121"),
    oru(pid=f"{PID}~||\rNTE|1||x\rPRT|||||||||MON-1^ACME"),
    b"\n".join(oru().split(b"\r")),
    b"MSH|^~\\&",
    b"",
]
PIECES = [
    *(
        b"|",
        b"^",
        b"~",
        b"\\",
        b"&",
        b"\r",
        b"\n",
        b"\x0b",
        b"\x1c",
        b"\x00",
        b"\xff",
        b"\\X",
        b"\\.sp99999999\\",
        b"\\E",
    ),
    *(b"OBX|", b"PID|", b"MSH|", b"OBR|1", b"1e308", b"NaN", b"-999", b"99991231235960+9999", b"20260329023000", b"=^"),
    *(b"|" * 3000, b"^" * 5000, b"\r" * 50, "１２".encode(), b"9" * 400),
]


def mutated(dice: random.Random, message: bytes) -> bytes:
    """A message with a few things wrong."""
    data = bytearray(message)
    for _ in range(dice.choice([0, 1, 1, 2, 3, 8])):
        at = dice.randrange(len(data) + 1)
        match dice.randrange(5):
            case 0:
                data[at:at] = dice.choice(PIECES)
            case 1:
                del data[at : at + dice.randrange(1, 30)]
            case 2 if at < len(data):
                data[at] = dice.randrange(256)
            case 3:
                end = dice.randrange(at, min(len(data), at + 200) + 1)
                data[dice.randrange(len(data) + 1) : 0] = data[at:end]
            case _:
                other = dice.choice(SEEDS)
                data[at:] = other[dice.randrange(len(other) + 1) :]
    return bytes(data)


def messages(seed: int) -> Iterator[bytes]:
    """Without end."""
    dice = random.Random(seed)
    while True:
        yield mutated(dice, dice.choice(SEEDS))


def cut(dice: random.Random, wire: bytes) -> Iterator[bytes]:
    """The same bytes as TCP might bring them."""
    at = 0
    while at < len(wire):
        step = dice.choice([1, 2, 7, 100, 5000])
        yield wire[at : at + step]
        at += step


def survives_framing(dice: random.Random, message: bytes) -> None:
    """However it is cut, the same blocks come out, and garbage before it changes nothing."""
    wire = b"\r\nnoise" + framed(message) + b"\n" + framed(b"next")
    whole = Deframer(4096)
    expected = whole.feed(wire)
    split = Deframer(4096)
    assert [block for piece in cut(dice, wire) for block in split.feed(piece)] == expected
    assert expected[-1].message == b"next"
    if not {0x0B, 0x1C} & set(message) and len(message) <= 4096:
        assert [block.message for block in expected] == [message, b"next"]


async def receive_for(ctx: Ctx, messages_: Iterator[bytes], until: Callable[[int], bool]) -> int:
    """Send mutated messages of p1's as the door would; how many. Whatever comes is answered, soon, and stays p1's.

    until: whether to end, by how many were sent.
    """
    sent = 0
    with capture_logs() as log:
        for message in messages_:
            stream = Deframer()
            for block in [*stream.feed(framed(message)), *([stream.give_up()] if stream.inside else [])]:
                begun = time.perf_counter()
                answers = await receive(ctx, block, "127.0.0.1")
                assert time.perf_counter() - begun < 5
                assert all(b"MSA|" in answer for answer in answers)
            sent += 1
            faults = [entry for entry in log if entry["log_level"] in {"error", "warning"}]
            assert not faults, (faults[0], message)
            log.clear()
            if until(sent):
                break
    async with ctx.database.connection() as sql:
        whose = await sql.fetch("select distinct patient from monitoring.pack where patient is not null")
        assert {row["patient"] for row in whose} <= {"p1"}
        # Special and impossible values never become plausible numbers.
        assert (
            await sql.fetchval(
                """select count(*) from monitoring.pack, unnest(metric, value) as u (metric, value)
               where (u.metric = 1 and u.value not between 10 and 350) or (u.metric = 3 and u.value > 100)"""
            )
            == 0
        )
    return sent
