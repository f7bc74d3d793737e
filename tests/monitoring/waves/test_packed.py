"""At rest: nothing is lost, and room is saved."""

import math
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.waves.model.message import Piece
from bedside.monitoring.waves.model.packed import expand, minutes, squeeze

pytestmark = pytest.mark.unit

START = 1_790_000_040_000_000
int16 = st.integers(-32768, 32767)


def piece(time: int, *samples: int, k: float = 1.0, off: tuple[tuple[int, int], ...] = ()) -> Piece:
    return Piece(2, time, 250.0, "mV", k, 0.0, array("h", samples).tobytes(), off)


@given(st.lists(int16, max_size=300))
def test_whatever_the_samples_they_come_back(samples: list[int]) -> None:
    raw = array("h", samples).tobytes()
    assert expand(squeeze(raw)) == raw


@given(st.lists(st.tuples(st.integers(0, 200_000_000), st.lists(int16, min_size=1, max_size=5)), max_size=20))
def test_pieces_come_back_from_minutes(parts: list[tuple[int, list[int]]]) -> None:
    pieces = {START + at: piece(START + at, *samples, k=1 + at % 2, off=((0, 0),)) for at, samples in parts}
    rows = minutes(pieces.values())
    assert sorted((one for row in rows for one in row.pieces()), key=lambda one: one.time) == [
        pieces[time] for time in sorted(pieces)
    ]
    assert all(len({time // 60_000_000 for time in row.t}) == 1 for row in rows)


def test_a_smooth_minute_takes_less_than_half_its_room() -> None:
    wave = [round(2000 * math.sin(n / 20) + 300 * math.sin(n / 3)) for n in range(15_000)]
    raw = array("h", wave).tobytes()
    assert len(squeeze(raw)) < len(raw) / 2
