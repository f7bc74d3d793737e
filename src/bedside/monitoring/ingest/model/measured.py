"""What another room took from an interface of its own (HL7 v2), judged exactly as what a device sends."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import orjson

from bedside.monitoring.ingest.model.metrics import BY_NAME, DIASTOLIC, MEAN, METRICS, SYSTOLIC, Metric
from bedside.monitoring.ingest.model.pack import SECOND, Pack
from bedside.monitoring.ingest.model.senml import decode

PANEL = (SYSTOLIC, DIASTOLIC, MEAN)


class Measured(msgspec.Struct, frozen=True):
    """One measured number. metric: a short name or a LOINC code; unit: UCUM; time: device time, µs since 1970."""

    metric: str
    value: float
    unit: str
    time: int


def charted_name(name: str) -> str | None:
    """The short name of the metric that goes by this name or LOINC code, if it is one of numbers; else None."""
    found: Metric | None = BY_NAME.get(name)
    return None if found is None or found.letters else found.name


def shown_with(name: str) -> tuple[str, ...]:
    """The metrics that are shown as one with this one when they are of one moment: the pressures; else itself alone."""
    number = BY_NAME[name].number
    return tuple(METRICS[one].name for one in PANEL) if number in PANEL else (name,)


def packed(measured: Sequence[Measured], received: int) -> Pack:
    """As a Pack, received at that µs. Refusals' index is the place in `measured`."""
    records = [{"n": one.metric, "v": one.value, "u": one.unit, "t": one.time / SECOND} for one in measured]
    return decode(orjson.dumps(records), received)


def together(pack: Pack) -> list[Measured]:
    """What of a pack was taken, in charted units."""
    columns = zip(pack.metric, pack.value, pack.time, strict=True)
    return [Measured(METRICS[number].name, value, METRICS[number].unit, time) for number, value, time in columns]
