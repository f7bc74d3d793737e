"""The simulated waveforms: what they say is what the door takes, at the body's own rate."""

from array import array
from itertools import pairwise

import cbor2
import pytest

from bedside.demo.waves import Body
from bedside.monitoring.waves.model.message import decode

pytestmark = pytest.mark.unit

SECOND = 1_790_000_100


def test_a_second_is_taken_by_the_door_and_is_the_same_each_time() -> None:
    said = list(Body("mo-1", 72, 14).second(SECOND))
    assert said == list(Body("mo-1", 72, 14).second(SECOND))
    leads = [{**about, "t": float(SECOND), "s": cbor2.CBORTag(77, raw), "off": off} for about, raw, off in said]
    sent = decode(cbor2.dumps([{"seq": 1}, *leads]), (SECOND + 1) * 1_000_000)
    assert sent.refused == []
    assert [len(piece.samples) // 2 for piece in sent.pieces] == [250, 100, 50]


def test_the_heart_beats_at_its_rate() -> None:
    body = Body("mo-1", 84, 14)
    ecg = array("h")
    for n in range(60):
        ecg.frombytes(next(iter(body.second(SECOND + n)))[1])
    beats = sum(a < 100 <= b for a, b in pairwise(ecg))
    assert abs(beats - 84) <= 1


def test_a_loose_lead_says_so() -> None:
    body = Body("mo-1", 72, 14, loose=True)
    off = [next(iter(body.second(300 * 5 + n)))[2] for n in range(20)]
    assert off == [[[0, 249]]] * 8 + [[]] * 12
