"""Questions that come at the same moment are asked together: sixteen readers cost one round trip, not sixteen.

Nothing is remembered between two rounds. A question that arrives while one round is under way waits for the next, so
that every answer was looked up after its question was put.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar, cast

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Together(Generic[Question, Answer]):
    """Calls `ask` with all that waits, at most `most` at once; its answers stand in the order of the questions.

    What `ask` raises is raised to each of the round. lanes: rounds under way at a time, so that one that is slow holds
    up no other. rounds: how many there were.
    """

    def __init__(
        self, ask: Callable[[list[Question]], Awaitable[Sequence[Answer]]], most: int = 500, lanes: int = 1
    ) -> None:
        self._ask, self._most, self._lanes = ask, most, lanes
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self.rounds = 0

    @property
    def idle(self) -> bool:
        """Whether nothing is asked."""
        return not self._tasks

    def __call__(self, question: Question) -> asyncio.Future[Answer]:
        """The answer to come. A caller that leaves takes nobody else's along: the round is no caller's task."""
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if len(self._tasks) < self._lanes:
            self._tasks.add(asyncio.create_task(self._lane()))
        return answer

    async def _lane(self) -> None:
        try:
            await self._rounds()
        finally:  # at once, not by a callback: a question that came between would wait for nobody
            self._tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _rounds(self) -> None:
        while self._waiting:
            now, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self.rounds += 1
            try:
                answers = await self._ask([question for question, _ in now])
                if len(answers) != len(now):
                    raise RuntimeError("as many answers as questions")
            except BaseException as error:
                for _, waiting in now:
                    if not waiting.done():
                        waiting.set_exception(error)
                if not isinstance(error, Exception):
                    raise
            else:
                for (_, waiting), answer in zip(now, answers, strict=True):
                    if not waiting.done():
                        waiting.set_result(answer)
