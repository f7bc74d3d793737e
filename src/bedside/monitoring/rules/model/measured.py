"""A reading as the rules see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Source = Literal["device", "patient", "staff"]

CUFFLESS = "cuffless"
PRESSURE = frozenset({"systolic", "diastolic"})


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one metric at one moment.

    value: a number in the metric's charted unit (mm[Hg], /min, %, Cel, kg, L/min), or for consciousness one of
    A C V P U.
    device_time: when it was measured, by the device's clock, UTC. device: None when typed.
    flags: what the doors found odd about it (late, clock, implausible, conflict, cuffless, ...): see `unfit`.
    """

    id: str
    metric: str
    value: float | str
    unit: str
    device_time: datetime
    received_at: datetime
    device: str | None = None
    source: Source = "device"
    flags: frozenset[str] = field(default_factory=frozenset)

    @property
    def unfit(self) -> str | None:
        """Why this reading may raise nothing live, or None. Any flag counts: a reading in doubt is shown, not alarmed.

        Cuffless pressure: AHA/ACC 2025, message 9, advises against relying on it.
        """
        return min(self.flags) if self.flags else None

    @property
    def number(self) -> float:
        """The value as a number. Raises TypeError for a code."""
        if isinstance(self.value, str):
            raise TypeError(f"{self.metric} is a code, not a number")
        return self.value
