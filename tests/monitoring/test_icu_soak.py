"""500 real intensive-care stays at 600 times real time: `make soak`."""

from __future__ import annotations

import pytest
from tests.monitoring.icu import DATA, telling
from tests.monitoring.icu_replay import Replay, RunningClock

from bedside.foundation.bus import Bus
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data: no real stays are replayed"),
]
SPEED = 600.0


async def test_500_stays_at_600_times_real_time(ctx: Ctx, bus: Bus, nats: Nats) -> None:
    stays = telling(500)
    replay = Replay(ctx, bus, nats, stays, RunningClock(SPEED))
    await replay.run(48)
    scored = sum(count for score, count in replay.counted.items() if isinstance(score, int))
    print(
        f"\n{len(stays)} stays, {replay.readings} observations, {replay.counted.total()} hours ({scored} scored), "
        f"{len(replay.wrong)} unlike the oracle's; refused {dict(replay.refused)}; "
        f"the replay was at most {replay.behind.total_seconds() / SPEED:.1f} s behind"
    )
    assert replay.wrong == []
    alarmed = await replay.alarmed()
    print(f"{len(alarmed)} stays with an alarm of NEWS2 7 or more")
    # When all inputs still stand by ten minutes (a second of ours), the alarm must be there.
    assert {one.id for one in stays if one.worst(48, margin=10) >= 7} <= alarmed
    assert alarmed <= {one.id for one in stays if one.worst(48) >= 7}
