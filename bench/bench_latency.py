"""Ten thousand patients, ten thousand readings a second: from publication to the alarm raised, committed and told.

Every patient sends a pack of four signs every four seconds. Now and then one's pressure is far too high; its alarm is
heard where the walls hear it, after the commit. Packs are published to the subjects that the MQTT door maps topics to.
`python -m bench.bench_latency URL [DEVICE …]` is the generator, a process of its own on the same cores.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

import orjson
import uvloop
from nats.aio.msg import Msg

from bedside.foundation.bus import Bus
from bedside.foundation.database import Connection
from bedside.foundation.engines import Nats, Postgres
from bedside.monitoring.testing import ingesting
from bench.figure import Figure
from bench.ground import on_engines, program

PATIENTS = 10_000
EVERY = 4.0
"""Seconds between the packs of one patient: four readings each."""
SECONDS = 30
WARM = 6
"""Seconds that are not measured: every patient's rows are made."""
ALARMS = 8
"""A second."""
SIGNS = (("8867-4", "/min", 70), ("59408-5", "%", 97), ("9279-1", "/min", 16))


def measure() -> Iterator[Figure]:
    """Milliseconds until the alarm, and the readings a second that landed meanwhile."""
    yield from on_engines(_run)


async def _run(postgres: Postgres, nats: Nats) -> list[Figure]:
    heard: dict[str, float] = {}

    async def hear(message: Msg) -> None:
        heard.setdefault(message.subject.rsplit(".", 1)[1], time.time())

    async with program(postgres, nats) as ctx:
        async with ctx.database.transaction() as sql:
            await people(sql)
        await ctx.bus.client.subscribe("monitoring.alarm.1.*", cb=hear)
        async with ingesting(ctx, ctx.bus, seed=nats.login().seed):
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "bench.bench_latency", nats.url), stdout=asyncio.subprocess.PIPE
            )
            out, _ = await asyncio.wait_for(child.communicate(), 180)
            sent: dict[str, float] = json.loads(out)
            await asyncio.sleep(2)
        async with ctx.database.transaction() as sql:
            landed = await sql.fetchval("select sum(cardinality(metric)) from monitoring.pack")
    took = sorted((heard[patient] - at) * 1e3 for patient, at in sent.items() if patient in heard)
    return [
        Figure("readings a second", landed / (WARM + SECONDS), "/s", least=9_900),
        Figure(f"alarms of {len(sent)} that were not heard", len(sent) - len(took), "", limit=0.5),
        Figure(f"published to alarm raised, p50 of {len(took)}", took[len(took) // 2], "ms", limit=60),
        Figure(f"published to alarm raised, p99 of {len(took)}", took[int(len(took) * 0.99)], "ms", limit=250),
    ]


async def people(sql: Connection) -> None:
    """Adults with a monitor each."""
    now, ever = datetime.now(UTC), "[2000-01-01,)"
    names = [f"m{n}" for n in range(PATIENTS)]
    await sql.execute(
        """with made as (
               insert into monitoring.device (tenant, name, kind, source, created_at)
               select 1, name, 'monitor', 'device', $2 from unnest($1::text[]) as u (name) returning number, name
           ), heads as (insert into monitoring.head (device) select number from made)
           insert into monitoring.assignment (tenant, device, patient, during, made_at)
           select 1, number, 'p' || name, $3::text::tstzrange, $2 from made""",
        *(names, now, ever),
    )
    await sql.execute(
        """insert into monitoring.profile (tenant, patient, birth_date, changed_at, changed_by)
           select 1, 'p' || name, $2, $3, 'bench' from unnest($1::text[]) as u (name)""",
        *(names, date(1960, 5, 1), now),
    )


async def _send(url: str, chosen: Sequence[str]) -> dict[str, float]:
    """Publish for WARM + SECONDS; returns when each patient's breach was published. chosen: the devices that breach,
    one after another over the whole time, besides the ten thousand; without any, some of these do.
    """
    bus = await Bus.connect(url)
    rng, sent = random.Random(1), dict[str, float]()
    pace = len(chosen) / (SECONDS - 1) if chosen else ALARMS

    began, pack = time.time(), 0
    per_second = PATIENTS / EVERY
    while (now := time.time()) - began < WARM + SECONDS:
        due = int((now - began) * per_second)
        breaches = int((now - began - WARM) * pace)
        if len(sent) < min(breaches, len(chosen)):
            name = chosen[len(sent)]
            sent[name] = await _publish(bus, name, 1, 205)
        while pack < due:
            device = f"m{pack % PATIENTS}"
            high = not chosen and len(sent) < breaches and f"p{device}" not in sent and rng.random() < 0.2
            at = await _publish(bus, device, pack // PATIENTS, 205 if high else 122)
            if high:
                sent[f"p{device}"] = at
            pack += 1
        await bus.client.flush()
        await asyncio.sleep(0.002)
    await bus.close()
    return sent


async def _publish(bus: Bus, device: str, seq: int, systolic: int) -> float:
    """One pack of four signs of now; returns when."""
    at = time.time()
    records: list[dict[str, object]] = [{"n": "seq", "v": seq}]
    records += [{"n": name, "u": unit, "v": value} for name, unit, value in (*SIGNS, ("8480-6", "mm[Hg]", systolic))]
    records[1]["bt"] = round(at, 3)
    await bus.client.publish(f"devices.{device}.readings", orjson.dumps(records))
    return at


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_send(sys.argv[1], sys.argv[2:]))))
