"""The decoder on messages that were damaged on the way, for long: `make soak`. BEDSIDE_FUZZ_SECONDS says how long."""

import os
import random
import time

import pytest
from tests.monitoring.waves.test_message import NOW, taken_or_refused
from tests.monitoring.waves_made import lead, message

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("BEDSIDE_FUZZ_SECONDS", "1200"))


def test_damaged_messages_are_refused_or_taken_whole() -> None:
    rng = random.Random(45)
    whole = message(7, lead("ecg-ii", NOW, range(40), off=[[1, 3]]), lead("pleth", NOW, range(9), hz=62.5))
    until, tried = time.monotonic() + SECONDS, 0
    while time.monotonic() < until:
        damaged = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            at = rng.randrange(len(damaged))
            match rng.randrange(4):
                case 0:
                    damaged[at] = rng.randrange(256)
                case 1:
                    damaged[at] ^= 1 << rng.randrange(8)
                case 2:
                    del damaged[at : at + rng.randint(1, 9)]
                case _:
                    damaged[at:at] = rng.randbytes(rng.randint(1, 9))
            damaged = damaged or bytearray(b"0")
        taken_or_refused(bytes(damaged))
        tried += 1
    print(f"{tried} damaged messages")
    assert tried > 100
