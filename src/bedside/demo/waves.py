"""A simulated body's waveforms: an ECG, a pleth and a respiration, from curves of one beat and one breath.

The shapes are sums of bells at usual places in the beat; they are to look at and to test with, and are nobody's.
Deterministic: the same name, rate and second give the same samples.
"""

from __future__ import annotations

import math
import random
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, Final

STEPS: Final = 512
"""Points of a template."""
ECG: Final = (
    # place in the beat, width, height in mV: P, Q, R, S, T
    (0.18, 0.025, 0.12),
    (0.365, 0.010, -0.12),
    (0.385, 0.011, 1.10),
    (0.41, 0.012, -0.22),
    (0.62, 0.045, 0.28),
)
PLETH: Final = ((0.50, 0.075, 1.0), (0.68, 0.10, 0.45))
LEADS: Final[tuple[dict[str, Any], ...]] = (
    {"n": "ecg-ii", "hz": 250, "u": "mV", "k": 0.005, "o": 0},
    {"n": "pleth", "hz": 100, "u": "1", "k": 0.001, "o": 0},
    {"n": "resp", "hz": 50, "u": "Ohm", "k": 0.001, "o": 0},
)
LOOSE: Final = (300, 8)
"""Seconds: the electrodes of a loose lead come off this often, for so long."""


def _bells(bells: Sequence[tuple[float, float, float]]) -> tuple[float, ...]:
    return tuple(
        sum(height * math.exp(-(((n / STEPS - place) / width) ** 2) / 2) for place, width, height in bells)
        for n in range(STEPS)
    )


BEAT: Final = _bells(ECG)
PULSE: Final = _bells(PLETH)
BREATH: Final = tuple(0.5 * (1 - math.cos(2 * math.pi * n / STEPS)) for n in range(STEPS))


class Body:
    """rate, breaths: a minute. loose: its ECG's electrodes come off now and then."""

    def __init__(self, name: str, rate: float, breaths: float, *, loose: bool = False) -> None:
        self._rate, self._breaths, self._loose = rate / 60, breaths / 60, loose
        tuned = random.Random(name)  # noqa: S311 - a simulated body, no secret
        self._phase, self._size = tuned.random(), tuned.uniform(0.8, 1.2)
        self._noise = [tuned.gauss(0, 1.6) for _ in range(997)]

    def second(self, second: int) -> Iterator[tuple[dict[str, Any], bytes, list[list[int]]]]:
        """For each lead what a message says of it, its samples of this second, and where the lead was off."""
        off = self._loose and second % LOOSE[0] < LOOSE[1]
        for said, shape, per_second, size, noise in (
            (LEADS[0], BEAT, self._rate, 200 * self._size, 1.0),
            (LEADS[1], PULSE, self._rate, 800 * self._size, 0.5),
            (LEADS[2], BREATH, self._breaths, 700 * self._size, 1.5),
        ):
            hz = said["hz"]
            unplugged = off and said is LEADS[0]
            raw = [0] * hz if unplugged else self._samples(second, hz, shape, per_second, size, noise)
            samples = array("h", raw)
            if sys.byteorder == "big":
                samples.byteswap()
            yield said, samples.tobytes(), [[0, hz - 1]] if unplugged else []

    def _samples(
        self, second: int, hz: int, shape: Sequence[float], rate: float, size: float, noise: float
    ) -> list[int]:
        # The heart beats a little faster while breathing in; the phase is a function of time, so no second needs
        # another one's end.
        swing = 0.04 * rate / (2 * math.pi * self._breaths)
        turn = 2 * math.pi * self._breaths
        begin, grain = second % 86_400, self._noise
        made = []
        for n in range(hz):
            at = begin + n / hz
            beat = self._phase + rate * at + (swing * math.sin(turn * at) if rate != self._breaths else 0)
            made.append(round(size * shape[int(beat % 1 * STEPS)] + noise * grain[(second * hz + n) % len(grain)]))
        return made
