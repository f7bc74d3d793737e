"""The irregular pulse flag: its statistics against slow ones, its refusals, real annotated hearts where at hand."""

from __future__ import annotations

import json
import math
import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.rules.model.rhythm import Beat, rhythm

pytestmark = pytest.mark.unit

DATA = Path(__file__).parents[4] / "shared" / "data" / "ecg_mitbih_ds1"


def beats(intervals: list[float]) -> list[Beat]:
    time, found = 1_795_262_400_000_000, []
    for each in intervals:
        time += round(each * 1000)
        found.append(Beat(time, each))
    return found


BEATS = frozenset({*range(1, 14), 25, 30, 34, 35, 38, 41})
"""Codes of annotations that are beats (PhysioNet, WFDB's ecgcodes.h); 1, 2, 3: normal, and bundle branch blocks."""
NORMAL = frozenset({1, 2, 3})
RHYTHM = 28


def annotations(raw: bytes) -> list[tuple[int, int, str]]:
    """Sample, code and text of an annotation file in MIT format: 6 bits of code and 10 of the samples passed."""
    found: list[tuple[int, int, str]] = []
    at, sample = 0, 0
    while at + 1 < len(raw):
        word = raw[at] | raw[at + 1] << 8
        code, passed = word >> 10, word & 0x3FF
        at += 2
        if code == 59:  # a long step: 32 bits, high word first
            high, low = raw[at] | raw[at + 1] << 8, raw[at + 2] | raw[at + 3] << 8
            sample += high << 16 | low
            at += 4
        elif code == 63:  # text of the one before
            text = raw[at : at + passed].split(b"\0")[0].decode("latin-1")
            found[-1] = (found[-1][0], found[-1][1], text)
            at += passed + passed % 2
        elif code in {60, 61, 62}:
            continue
        elif code == 0 and passed == 0:
            break
        else:
            sample += passed
            found.append((sample, code, ""))
    return found


def slow(intervals: list[float]) -> tuple[float, float, float]:
    """The three statistics, the long way round."""
    squares = [(intervals[k] - intervals[k - 1]) ** 2 for k in range(1, 128)]
    ratio = math.sqrt(sum(squares) / 127) / (sum(intervals) / 128)
    left = list(enumerate(intervals))
    for _ in range(8):
        left.remove(min(left, key=lambda one: (one[1], one[0])))
    for _ in range(8):
        left.remove(max(left, key=lambda one: (one[1], one[0])))
    inner = [value for _, value in left]
    turns = 0
    for k in range(1, 111):
        a, b, c = inner[k - 1 : k + 2]
        turns += (b > a and b > c) or (b < a and b < c)
    low, high = min(inner), max(inner)
    entropy = 0.0
    for n in range(16):
        inside = [v for v in inner if high > low and min(15, math.floor((v - low) / (high - low) * 16)) == n]
        if inside:
            p = len(inside) / 112
            entropy -= p * math.log(p, 16)
    return ratio, turns / 110, entropy


@given(st.lists(st.integers(200, 3000), min_size=128, max_size=140))
def test_the_statistics_are_the_slow_ones(intervals: list[int]) -> None:
    got = rhythm(beats([float(one) for one in intervals]))
    ratio, turning, entropy = slow([float(one) for one in intervals[-128:]])
    assert got.ratio == pytest.approx(ratio)
    assert got.turning == pytest.approx(turning)
    assert got.entropy == pytest.approx(entropy, abs=1e-9)
    assert (got.status == "irregular") == (ratio > 0.1 and 0.54 < turning < 0.77 and entropy > 0.7)


def test_even_breathing_and_irregular_hearts() -> None:
    rng = random.Random(7)
    assert rhythm(beats([800.0] * 128)).status == "regular"
    assert rhythm(beats([800 + 60 * math.sin(k / 4) for k in range(128)])).status == "regular"
    # Every other beat early: bigeminy turns at every beat, and is no fibrillation.
    assert rhythm(beats([500.0 + 500 * (k % 2) for k in range(128)])).status == "regular"
    assert rhythm(beats([rng.uniform(450, 1100) for _ in range(128)])).status == "irregular"


def test_too_few_a_gap_and_what_is_no_beat() -> None:
    even = beats([800.0] * 128)
    assert (rhythm(even[1:]).status, rhythm(even[1:]).why) == ("incomplete", "few")
    later = [*even[:100], *(Beat(one.time + 1_500_001, one.interval) for one in even[100:])]
    assert (rhythm(later).status, rhythm(later).why) == ("incomplete", "gap")
    near = [*even[:100], *(Beat(one.time + 1_500_000, one.interval) for one in even[100:])]
    assert rhythm(near).status == "regular"
    for count, why in ((12, ""), (13, "dropped")):
        mixed = [800.0] * 120 + [3001.0, 800.0] * count + [800.0] * 8
        assert rhythm(beats(mixed)).why == why
    assert rhythm(beats([200.0] * 64 + [3000.0] * 64)).beats == 128
    assert rhythm([]).why == "few"


@pytest.mark.skipif(not DATA.is_dir(), reason="the recorded ECGs are not at hand")
def test_real_hearts_by_their_annotations() -> None:
    """MIT-BIH, windows of 128 beats: wholly in annotated fibrillation, most are flagged; in normal rhythm, few are."""
    found = {"af": [0, 0], "sinus": [0, 0]}
    for name in json.loads((DATA / "index.json").read_text())["records"]:
        rhythm_now, times = "", []
        for sample, code, aux in annotations((DATA / f"{name}.atr").read_bytes()):
            if code == RHYTHM:
                rhythm_now = aux
            elif code in BEATS:
                times.append((sample / 360, code, rhythm_now))
        for k in range(129, len(times), 128):
            window = times[k - 129 : k]
            made = [Beat(round(b[0] * 1e6), (b[0] - a[0]) * 1000) for a, b in pairwise(window)]
            rhythms = {one[2] for one in window}
            ectopic = sum(one[1] not in NORMAL for one in window)
            kind = "af" if rhythms == {"(AFIB"} else "sinus" if rhythms == {"(N"} and ectopic <= 2 else ""
            got = rhythm(made)
            if kind and got.status != "incomplete":
                found[kind][got.status == "irregular"] += 1
    print("regular, irregular:", found)
    assert found["af"][1] / sum(found["af"]) > 0.85
    assert found["sinus"][1] / sum(found["sinus"]) < 0.1
