"""What a benchmark prints: one measured value beside its limit, and their ratio."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """A measured value. limit: the most it may be, least: the least, in the same unit; None where only the value is of
    interest."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    least: float | None = None

    @property
    def good(self) -> bool:
        return (self.limit is None or self.value <= self.limit) and (self.least is None or self.value >= self.least)

    def __str__(self) -> str:
        number = f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.2f}"
        line = f"{self.name:<52} {number:>9} {self.unit:<3}"
        if self.least is not None:
            return (
                f"{line} to reach {self.least:g}, ratio {self.value / self.least:.2f}{'' if self.good else '  BELOW'}"
            )
        if self.limit is None:
            return line.rstrip()
        return f"{line} limit {self.limit:g}, ratio {self.value / self.limit:.2f}{'' if self.good else '  OVER'}"
