"""The consensus metrics: by hand, at every edge, and on people's own sensors against a second reckoning."""

from __future__ import annotations

import csv
import io
import lzma
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bedside.monitoring.rules.model.agp import report

pytestmark = pytest.mark.unit

END = datetime(2026, 11, 28, 12, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Madrid")
DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "cgm"


def every_five(count: int, value: float = 120) -> list[tuple[datetime, float]]:
    return [(END - timedelta(minutes=5 * n), value) for n in range(count)]


def test_known_gmi() -> None:
    """jaeb.org/gmi: a mean of 154 mg/dL is 6.99 %."""
    values = [(at, 154 + (n % 2) * 2 - 1) for n, (at, _) in enumerate(every_five(4032))]
    found = report(values, END, ZONE)
    assert found is not None
    assert round(found.gmi, 2) == 6.99
    assert found.sufficient
    assert found.active > 0.999


@pytest.mark.parametrize(
    ("value", "band"),
    [
        *((value, "very-low") for value in (53, 53.4)),
        *((value, "low") for value in (54, 69.4)),
        *((value, "in-range") for value in (69.5, 70, 180, 180.4)),
        *((value, "high") for value in (181, 250)),
        *((value, "very-high") for value in (250.6, 400)),
    ],
)
def test_each_edge_lies_in_one_band(value: float, band: str) -> None:
    found = report([*every_five(1), (END - timedelta(minutes=5), value)], END, ZONE)
    assert found is not None
    assert math.isclose(sum(one.share for one in found.bands), 100)
    shares = {one.key: one.share for one in found.bands}
    assert shares[band] == (100 if band == "in-range" else 50)


def test_seventy_in_a_hundred_of_fourteen_days() -> None:
    """A five-minute sensor: 2,823 of 4,032 readings are enough, 2,821 are not."""
    rng = random.Random(3)
    places = rng.sample(range(4032), 2823)
    values = [(END - timedelta(minutes=5 * n), 120.0 + n % 3) for n in places]
    enough, short = report(values, END, ZONE), report(values[:2800], END, ZONE)
    assert enough is not None
    assert short is not None
    assert enough.interval == 5
    assert (enough.sufficient, short.sufficient) == (True, False)


def test_a_meter_is_no_sensor() -> None:
    found = report([(END - timedelta(hours=6 * n), 110.0 + n) for n in range(56)], END, ZONE)
    assert found is not None
    assert (found.interval, found.active, found.sufficient) == (None, 0.0, False)


def test_too_little() -> None:
    assert report([], END, ZONE) is None
    assert report(every_five(1), END, ZONE) is None
    assert report([(END - timedelta(days=15), 100.0), (END - timedelta(days=16), 100.0)], END, ZONE) is None


def test_the_modal_day_is_local() -> None:
    """A peak at eight in the morning in Madrid, on both sides of the end of summer time."""
    end = datetime(2026, 11, 1, 12, tzinfo=UTC)
    values = []
    for n in range(4032):
        at = end - timedelta(minutes=5 * n)
        values.append((at, 250.0 if at.astimezone(ZONE).hour == 8 else 110.0))
    found = report(values, end, ZONE)
    assert found is not None
    assert {slot.minute // 60 for slot in found.curve if slot.p50 > 200} == {8}
    assert len(found.curve) == 96


@pytest.mark.skipif(not DATA.is_dir(), reason="no ../shared/data: the sensors of Hall 2018 are not compared")
def test_people_s_own_sensors() -> None:
    """Against a reckoning that sorts and walks by itself."""
    rows: dict[str, list[tuple[datetime, float]]] = {}
    for row in csv.DictReader(io.StringIO(lzma.decompress((DATA / "hall2018.csv.xz").read_bytes()).decode())):
        if row["gl"] == "NA":
            continue
        at = datetime.fromisoformat(row["time"]).replace(tzinfo=UTC)
        rows.setdefault(row["id"], []).append((at, float(row["gl"])))
    assert len(rows) == 57
    for points in rows.values():
        end = max(at for at, _ in points)
        found = report(points, end, ZoneInfo("UTC"))
        assert found is not None
        values = sorted(round(value) for at, value in points if at >= end - timedelta(days=14))
        count = len(values)
        mean = sum(values) / count
        deviation = math.sqrt(sum((value - mean) ** 2 for value in values) / (count - 1))
        assert found.readings == count
        assert math.isclose(found.mean, mean)
        assert math.isclose(found.cv, 100 * deviation / mean)
        shares = {one.key: round(one.share * count / 100) for one in found.bands}
        assert shares["in-range"] == sum(69 < value < 181 for value in values)
        assert shares["very-low"] + shares["low"] == sum(value <= 69 for value in values)
        assert shares["very-high"] == sum(value > 250 for value in values)
        assert sum(shares.values()) == count
        for slot in found.curve:
            inside = sorted(
                round(value)
                for at, value in points
                if at >= end - timedelta(days=14) and (at.hour * 60 + at.minute) // 15 * 15 == slot.minute
            )
            for share, cut in ((0.05, slot.p5), (0.5, slot.p50), (0.95, slot.p95)):
                place = share * (len(inside) - 1)
                low = math.floor(place)
                high = min(low + 1, len(inside) - 1)
                assert math.isclose(cut, inside[low] + (place - low) * (inside[high] - inside[low]), abs_tol=1e-9)
