"""Joining readings to chunks loses none, doubles none, and keeps spans apart, in whatever order they come."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.series.model import chunk
from bedside.monitoring.series.model.chunk import EACH, Chunk, Kept, merge

pytestmark = pytest.mark.unit


def kept(time: int, patient: str = "p1") -> Kept:
    return Kept(time, time / 2, time + 7, patient)


def around(held: list[Chunk], new: list[Kept]) -> list[Chunk]:
    """What the store hands to merge."""
    first, last = min(new).time, max(new).time
    before = [one for one in held if one.t_min <= first][-1:]
    return before + [one for one in held if first < one.t_min <= last]


@given(st.lists(st.lists(st.integers(0, 400), min_size=1, max_size=40), max_size=12), st.integers(0, 400))
def test_any_order(rounds: list[list[int]], handed_on: int) -> None:
    """The device goes from one patient to another at a time, and its readings come in any order."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunk, "EACH", 10)
        held: list[Chunk] = []
        seen: set[int] = set()
        for times in rounds:
            fresh = [kept(time, "p1" if time < handed_on else "p2") for time in sorted(set(times) - seen)]
            if not fresh:
                continue
            seen |= {one.time for one in fresh}
            gone, made = merge(around(held, fresh), fresh)
            assert len(set(gone)) == len(gone)
            held = sorted([one for one in held if one.t_min not in gone] + made, key=lambda one: one.t_min)
            stands = [one for each in held for one in each.kept]
            assert [one.time for one in stands] == sorted(seen)
            assert stands == [kept(one.time, "p1" if one.time < handed_on else "p2") for one in stands]
            assert all(len({one.patient for one in each.kept}) == 1 for each in held)
            assert all(a.t_max < b.t_min for a, b in pairwise(held))
            assert all(len(each.kept) <= 15 for each in held)


def test_a_full_chunk_is_left_alone_by_what_comes_later() -> None:
    held = [Chunk([kept(n) for n in range(EACH)])]
    gone, made = merge(held, [kept(EACH + 5)])
    assert (gone, [len(one.kept) for one in made]) == ([], [1])


def test_a_chunk_that_is_not_full_takes_what_comes_later() -> None:
    held = [Chunk([kept(n) for n in range(EACH - 1)])]
    gone, made = merge(held, [kept(EACH + 5)])
    assert (gone, [len(one.kept) for one in made]) == ([0], [EACH])
