"""Real intensive-care stays through the wire: NEWS2 of every hour beside an oracle of its own (icu.py)."""

from __future__ import annotations

import pytest
from tests.monitoring.icu import DATA, telling
from tests.monitoring.icu_replay import ADMITTED, Replay, SteppedClock

from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data: no real stays are replayed"),
]


async def test_news2_of_every_hour_is_the_oracles(ctx: Ctx, bus: Bus, nats: Nats) -> None:
    stays = telling(30)
    replay = Replay(ctx, bus, nats, stays, SteppedClock(ADMITTED))
    await replay.run(48)
    assert replay.wrong == []
    assert sum(count for score, count in replay.counted.items() if isinstance(score, int)) > 300
    # When all inputs still stand by a minute, the alarm must be there; when none of them ever stood, it must not.
    alarmed = await replay.alarmed()
    assert {one.id for one in stays if one.worst(48, margin=1) >= 7} <= alarmed
    assert alarmed <= {one.id for one in stays if one.worst(48) >= 7}
