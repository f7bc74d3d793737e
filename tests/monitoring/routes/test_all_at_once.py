"""One device at three doors at the same moment: the wire's process and the web's, and each reading is held once."""

import asyncio
import random
import time
from datetime import UTC, datetime

import pytest
from tests.monitoring.cuff import Cuff
from tests.monitoring.routes.conftest import Doors
from tests.monitoring.routes.test_gateway import connect, heard

from bedside import access, monitoring
from bedside.foundation.context import Ctx
from bedside.foundation.engines import Nats
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.engine, pytest.mark.usefixtures("patients")]


async def test_three_doors_hold_each_reading_once(doors: Doors, wire: Ctx, nats: Nats) -> None:
    now = round(time.time(), 3)
    packs = [
        pack(n, *(("heart-rate", 60 + k, "/min", now - 60 + n + k / 10) for k in range(10)), ("spo2", 97, "%", now - n))
        for n in range(40)
    ]

    async def by_https() -> list[int]:
        return [(await doors.post(one)).json()["stored"] for one in random.Random(1).sample(packs, 40)]

    async with Cuff(doors.mine, nats.mqtt_port) as cuff, connect(doors, doors.mine) as link:

        async def by_mqtt() -> list[int]:
            for one in random.Random(2).sample(packs, 40):
                cuff.client.publish(doors.mine.topic, one, qos=1)
            answers = [await asyncio.to_thread(cuff.answers.get, timeout=60) for _ in range(40)]
            return [one["stored"] for one in answers]

        async def by_link() -> list[int]:
            for one in random.Random(3).sample(packs, 40):
                await link.send(one.decode())
            return [(await heard(link))["stored"] for _ in range(40)]

        told = await asyncio.gather(by_https(), by_mqtt(), by_link())
    assert {stored for one in told for stored in one} == {11}
    everything = datetime(2026, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    async with access.work(doors.ctx, "looked") as inner:
        assert len((await monitoring.series(inner, "p1", "heart-rate", *everything)).points) == 400
        assert len((await monitoring.series(inner, "p1", "spo2", *everything)).points) == 40
        assert await monitoring.conflicts(inner, "p1") == []
