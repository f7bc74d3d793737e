"""Mutated messages all the way into PostgreSQL: answered, never a fault of ours, never another patient's."""

import pytest
from tests.exchange.fuzz import messages, receive_for

from bedside.foundation.context import Ctx

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("ward")]


@pytest.mark.parametrize("seed", [1, 2])
async def test_mutated_messages_are_answered(ctx: Ctx, seed: int) -> None:
    assert await receive_for(ctx, messages(seed), lambda sent: sent >= 300) == 300
