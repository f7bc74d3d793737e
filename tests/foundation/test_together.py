"""Questions of one moment share a round; nothing is remembered between rounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from bedside.foundation.together import Together

pytestmark = pytest.mark.unit


class Oracle:
    """Answers with the square; its rounds can be held up."""

    def __init__(self) -> None:
        self.rounds: list[list[int]] = []
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, questions: list[int]) -> Sequence[int]:
        self.rounds.append(list(questions))
        await self.open.wait()
        if 13 in questions:
            raise ValueError("thirteen")
        return [n * n for n in questions]


async def test_each_gets_the_answer_to_its_own_question_in_few_rounds() -> None:
    oracle = Oracle()
    ask = Together(oracle, most=10)
    assert await asyncio.gather(*(ask(n) for n in range(12))) == [n * n for n in range(12)]
    assert [len(one) for one in oracle.rounds] == [10, 2]
    assert ask.rounds == 2


async def test_a_question_put_during_a_round_is_answered_by_the_next() -> None:
    oracle = Oracle()
    oracle.open.clear()
    ask = Together(oracle)
    first = ask(2)
    await asyncio.sleep(0)
    second = ask(2)
    oracle.open.set()
    assert (await first, await second) == (4, 4)
    assert oracle.rounds == [[2], [2]]


async def test_a_failed_round_fails_its_own_and_the_next_goes_on() -> None:
    oracle = Oracle()
    ask = Together(oracle)
    results = await asyncio.gather(ask(13), ask(1), return_exceptions=True)
    assert [type(one) for one in results] == [ValueError, ValueError]
    assert await ask(3) == 9


async def test_a_caller_that_leaves_takes_nobody_along() -> None:
    oracle = Oracle()
    oracle.open.clear()
    ask = Together(oracle)

    async def impatient() -> int:
        return await ask(5)

    leaving = asyncio.create_task(impatient())
    staying = ask(6)
    await asyncio.sleep(0)
    leaving.cancel()
    oracle.open.set()
    assert await staying == 36
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_a_slow_round_holds_up_no_other_lane() -> None:
    oracle = Oracle()
    oracle.open.clear()
    ask = Together(oracle, lanes=2)
    slow = [ask(1)]
    await asyncio.sleep(0)
    slow.append(ask(2))
    await asyncio.sleep(0)
    waiting = [ask(3), ask(4)]
    await asyncio.sleep(0)
    assert oracle.rounds == [[1], [2]]
    assert not ask.idle
    oracle.open.set()
    assert await asyncio.gather(*slow, *waiting) == [1, 4, 9, 16]
    assert oracle.rounds == [[1], [2], [3, 4]]
    assert ask.idle
    assert await ask(5) == 25
