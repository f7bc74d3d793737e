"""The oracle of test_oracle.py, asked for longer."""

import pytest
from tests.records.test_oracle import compare

from bedside.foundation.context import Ctx

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("seed", range(100, 130))
async def test_both_give_the_same_answer(ctx: Ctx, seed: int) -> None:
    await compare(ctx, seed)
