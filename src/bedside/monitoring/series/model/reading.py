"""What crosses the face: readings, the newest of each metric, a span of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.ingest.model.pack import words
from bedside.monitoring.series.model.identity import Identity

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One reading as charted. number: the metric's; raw: the stored number; time: device time, µs since 1970.

    source: device, patient or staff (typed by that hand). method: 'cuffless' where the device says so.
    device: its name, None for what was typed. sent: value and unit as sent, where they were converted.
    """

    number: int
    raw: float
    time: int
    patient: str
    device_number: int
    device: str | None
    device_kind: str
    source: str
    received_at: datetime
    bits: int = 0
    method: str | None = None
    sent: tuple[float, str] | None = None

    @property
    def id(self) -> str:
        """Of the FHIR Observation that shows it."""
        return Identity(self.device_number, self.number, self.time).id

    @property
    def metric(self) -> str:
        """Its short name."""
        return METRICS[self.number].name

    @property
    def value(self) -> float | str:
        """A number, or a letter for consciousness."""
        return METRICS[self.number].charted(self.raw)

    @property
    def unit(self) -> str:
        """UCUM."""
        return METRICS[self.number].unit

    @property
    def device_time(self) -> datetime:
        """When the device says it was measured."""
        return EPOCH + timedelta(microseconds=self.time)

    @property
    def flags(self) -> frozenset[str]:
        """Any of late, clock, implausible, disorder, converted, cuffless."""
        found = words(self.bits)
        return found | {"cuffless"} if self.method == "cuffless" else found


class Latest(msgspec.Struct, frozen=True):
    """The newest value of a metric. age: since its device time; stale: older than its limit, never to be shown as
    current. Readings with a clock that runs ahead and withdrawn ones are never here."""

    id: str
    metric: str
    value: float | str
    unit: str
    device_time: datetime
    received_at: datetime
    age: timedelta
    stale: bool
    stale_at: datetime
    source: str
    flags: frozenset[str]
    device: str | None
    device_kind: str

    @property
    def time(self) -> int:
        """device_time in µs since 1970."""
        return (self.device_time - EPOCH) // timedelta(microseconds=1)


class Point(msgspec.Struct, frozen=True, gc=False):
    """One reading of a series. withdrawn: entered in error, never to be shown as current.

    In a series that was thinned the lowest and highest of a stretch have no receipt and no flags, and their times are
    exact to the stretch.
    """

    id: str
    device_time: datetime
    received_at: datetime | None
    value: float | str
    source: str
    device: str | None
    flags: frozenset[str]
    withdrawn: bool


class Gap(msgspec.Struct, frozen=True):
    """Nothing was measured from `since` to `until`, longer than a value of this metric stays current."""

    since: datetime
    until: datetime


class Summary(msgspec.Struct, frozen=True):
    """What stands for readings that were thinned under the clinic's policy: no measured value. count: how many."""

    since: datetime
    until: datetime
    count: int
    low: float
    high: float
    mean: float


class Series(msgspec.Struct, frozen=True):
    """Readings of one metric of one patient in time order, and the gaps between them.

    count: about how many there are. thinned: `points` holds of each stretch of time the lowest and the highest, and the
    newest readings whole; letters (consciousness) are never thinned. summaries: stretches of which the readings are no
    longer kept, whole hours or several of them; they are not among `points` and `count`.
    """

    patient: str
    metric: str
    display: str
    loinc: str
    unit: str
    points: list[Point]
    gaps: list[Gap]
    count: int = 0
    thinned: bool = False
    summaries: tuple[Summary, ...] = ()


class Typed(msgspec.Struct, frozen=True):
    """One value as a person typed it. unit: None for the charted unit; value: a letter for consciousness."""

    metric: str
    value: float | str
    unit: str | None = None


class NewReading(msgspec.Struct, frozen=True):
    """What a person typed of one moment. at: None for now. also: further values of the same moment (the diastolic).
    confirmed: the second look at an implausible value was taken."""

    patient: str
    metric: str
    value: float | str
    unit: str | None = None
    at: datetime | None = None
    also: tuple[Typed, ...] = ()
    confirmed: bool = False


class Conflict(msgspec.Struct, frozen=True):
    """The same moment of the same device with another value. withdrawn: the first was taken back since.

    source: device, patient or staff, who sent or typed both.
    """

    id: str
    metric: str
    device: str
    device_time: datetime
    kept: float | str
    other: float | str
    unit: str
    received_at: datetime
    withdrawn: bool = False
    source: str = "device"
