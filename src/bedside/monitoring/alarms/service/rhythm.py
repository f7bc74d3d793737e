"""The irregular pulse flag, where the clinic switched it on: from the last beats of the device that sent some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bedside.foundation.context import Ctx
from bedside.monitoring.alarms.service import functions
from bedside.monitoring.devices.service.devices import microseconds, moment_of
from bedside.monitoring.ingest.model.metrics import BY_NAME
from bedside.monitoring.ingest.model.pack import Flag
from bedside.monitoring.rules.model import rhythm
from bedside.monitoring.rules.model.limits import Finding, Verdict
from bedside.monitoring.rules.model.measured import Measured
from bedside.monitoring.series.store import beats as store
from bedside.monitoring.series.store.beats import Beats

METRIC, CAUSE = "rr-interval", "irregular-pulse"


async def judge(ctx: Ctx, new: Mapping[str, Sequence[Measured]]) -> dict[str, tuple[datetime, Verdict]]:
    """By patient, what the beats up to the newest of these say; nothing where they are incomplete.

    new: intervals that came in time, of patients by whose age and state the adult rules hold. One query for all.
    """
    if not new or not (await functions.function(ctx, functions.RHYTHM)).on:
        return {}
    newest = {patient: max(readings, key=lambda r: r.device_time) for patient, readings in new.items()}
    span = timedelta(minutes=rhythm.table()["minutes"])
    metric = BY_NAME[METRIC].number
    since = [microseconds(one.device_time - span) for one in newest.values()]
    found = await store.last(ctx.sql, ctx.tenant, list(newest), metric, since, int(Flag.CLOCK))
    told: dict[str, tuple[datetime, Verdict]] = {}
    for one in found:
        last = newest[one.patient]
        if one.name == last.device and (verdict := _verdict(one, last)) is not None:
            told[one.patient] = (moment_of(one.time[-1]), verdict)
    return told


def _verdict(found: Beats, last: Measured) -> Verdict | None:
    got = rhythm.rhythm([rhythm.Beat(*pair) for pair in zip(found.time, found.interval, strict=True)])
    if got.status == "incomplete":
        return None
    if got.status == "regular" or got.ratio is None or got.turning is None or got.entropy is None:
        return Verdict(CAUSE, None)
    row = rhythm.table()
    return Verdict(
        CAUSE,
        Finding(
            cause=CAUSE,
            rule="irregular-pulse-flag",
            version=row["version"],
            priority=row["priority"],
            metric=METRIC,
            comparison=">",
            limit=row["rmssd"],
            source=row["source"],
            hazard=row["hazard"],
            inputs=(last,),
            value=round(got.ratio, 3),
            told={
                "kind": "rhythm",
                "beats": got.beats,
                "ratio": round(got.ratio, 3),
                "turning": round(got.turning, 3),
                "entropy": round(got.entropy, 3),
                "since": moment_of(found.time[-got.beats]).isoformat(),
            },
        ),
    )
