"""The same for 20 minutes (or BEDSIDE_FUZZ_SECONDS), with what the reader alone must stand."""

import os
import random
import resource
import time

import pytest
from tests.exchange.fuzz import messages, receive_for, survives_framing
from tests.exchange.model.test_reading import tried

from bedside.foundation.context import Ctx

pytestmark = [pytest.mark.soak, pytest.mark.usefixtures("ward")]

LONG = float(os.environ.get("BEDSIDE_FUZZ_SECONDS", "1200"))


async def test_mutated_messages_for_long(ctx: Ctx) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")
    until, dice = time.monotonic() + LONG / 2, random.Random(seed)
    read = 0
    for message in messages(seed):
        tried(message)
        survives_framing(dice, message[:4000])
        read += 1
        if time.monotonic() > until:
            break
    end = time.monotonic() + LONG / 2
    sent = await receive_for(ctx, messages(seed + 1), lambda _: time.monotonic() > end)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{read} messages read, {sent} answered, {most} MB at most")
    assert most < 512
