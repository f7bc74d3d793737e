"""How many messages a device may send, and whose turn it is."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.ingest.model import budget as model
from bedside.monitoring.ingest.model.budget import CUT_SECONDS, SECOND, Budget, Turns

pytestmark = pytest.mark.unit


def test_a_second_s_worth_at_once_and_then_as_many_a_second() -> None:
    budget = Budget(10)
    assert sum(budget.spend("a", 0) for _ in range(10)) == 10
    assert all(budget.spend("a", k * SECOND // 10) for k in range(1, 100))
    assert budget.refused_until("a", 10 * SECOND) is None


def test_what_floods_is_refused_for_a_minute_and_alone() -> None:
    budget = Budget(10)
    spent = [budget.spend("a", 0) for _ in range(12)]
    assert spent[-1] is False
    assert budget.refused_until("a", 1) == CUT_SECONDS * SECOND
    assert budget.refused_until("b", 1) is None
    assert budget.spend("b", 1)
    assert budget.refused_until("a", CUT_SECONDS * SECOND) is None
    assert budget.spend("a", CUT_SECONDS * SECOND)


@given(st.integers(1, 5000), st.lists(st.integers(0, 3 * SECOND), max_size=300))
def test_who_sends_no_more_than_the_limit_is_never_cut_off(limit: int, jitter: list[int]) -> None:
    """By the broker's stamps, whatever the moment at which they are read."""
    budget = Budget(limit)
    for k, _ in enumerate(jitter):
        assert budget.spend("a", k * (SECOND // limit + 1))


def test_it_forgets_whom_it_need_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "MOST_REMEMBERED", 10)
    budget = Budget(1000)
    for k in range(1000):
        budget.spend(f"d{k}", k * SECOND)
    assert len(budget._free) <= 11


async def test_devices_take_turns_and_each_keeps_its_order() -> None:
    turns = Turns[str]()
    for k in range(5):
        turns.put("a", f"a{k}")
    turns.put("b", "b0")
    turns.put("c", "c0")
    turns.put("b", "b1")
    assert [turns.next() for _ in range(9)] == ["a0", "b0", "c0", "a1", "b1", "a2", "a3", "a4", None]
    waiting = asyncio.create_task(turns.get())
    await asyncio.sleep(0)
    turns.put("a", "a5")
    assert await waiting == "a5"
