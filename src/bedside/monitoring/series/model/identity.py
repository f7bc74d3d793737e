"""The FHIR id of a reading is its identity, written down: never stored, and leading back without an index.

`r.12.3.1795262400000000` is metric 3 of device 12 at that µs; `p.12.5.…` the blood pressure panel of device 12 at that
moment, named by its systolic's metric. Letters, digits and dots: valid as a FHIR id, never a UUID.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from bedside.monitoring.ingest.model.metrics import DIASTOLIC, MEAN, METRICS, SYSTOLIC

PANEL: Final = (SYSTOLIC, DIASTOLIC, MEAN)
"""The metrics that are one Observation when they are of one moment of one device."""
SHAPE: Final = re.compile(r"([rp])\.([1-9][0-9]{0,9})\.([1-9][0-9]{0,3})\.([1-9][0-9]{0,18})")


class Identity(NamedTuple):
    """device: its number; metric: its number; time: device time in µs since 1970."""

    device: int
    metric: int
    time: int

    @property
    def id(self) -> str:
        """The FHIR id of the Observation that shows this reading."""
        if self.metric in PANEL:
            return f"p.{self.device}.{SYSTOLIC}.{self.time}"
        return f"r.{self.device}.{self.metric}.{self.time}"

    @property
    def members(self) -> tuple[Identity, ...]:
        """The identities that one Observation may show."""
        if self.metric in PANEL:
            return tuple(self._replace(metric=metric) for metric in PANEL)
        return (self,)


def owns(id: str) -> bool:  # noqa: A002 - FHIR's word
    """Whether an id has the shape of a reading's."""
    return identity(id) is not None


def identity(id: str) -> Identity | None:  # noqa: A002
    """The identity that an id stands for, or None if it is none of ours."""
    found = SHAPE.fullmatch(id)
    if found is None:
        return None
    letter, device, metric, time = found[1], int(found[2]), int(found[3]), int(found[4])
    fits = metric == SYSTOLIC if letter == "p" else metric in METRICS and metric not in PANEL
    return Identity(device, metric, time) if fits and device < 2**31 and time < 2**62 else None
