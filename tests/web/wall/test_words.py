"""What raised an alarm, in one short word beside its name."""

from typing import Any

import pytest

from bedside.web.wall.words import value_of

pytestmark = pytest.mark.unit


def one(metric: str, value: float, unit: str) -> dict[str, Any]:
    return {"metric": metric, "value": value, "unit": unit}


SCALE = [one("weight", 71.4, "kg"), one("weight", 68.0, "kg")]
GLUCOSE = [one("glucose", 120, "mg/dL"), one("glucose", 180, "mg/dL")]


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ({"metric": "spo2", "inputs": [one("spo2", 88, "%")]}, "88 %"),
        (
            {"metric": "systolic", "inputs": [one("systolic", 178, "mm[Hg]"), one("diastolic", 112, "mm[Hg]")]},
            "178/112 mmHg",
        ),
        ({"metric": "weight", "kind": "change", "window_hours": 72, "inputs": SCALE}, "+3.4 kg"),
        ({"metric": "weight", "window_hours": 72, "inputs": SCALE}, "+3.4 kg"),
        ({"metric": "weight", "kind": "change", "window_hours": 168, "inputs": SCALE[::-1]}, "-3.4 kg"),
        ({"metric": "glucose", "kind": "change", "window_hours": 0.5, "inputs": GLUCOSE}, "-3.3 mmol/L"),
        # Rules that look back at readings, not at a change, say the reading itself.
        ({"metric": "glucose", "kind": "persistence", "window_hours": 24, "inputs": GLUCOSE[::-1]}, "10 mmol/L"),
        (
            {"metric": "spo2", "kind": "baseline", "window_hours": 336, "value": -6, "inputs": [one("spo2", 90, "%")]},
            "90 %",
        ),
        ({"metric": "news2", "value": 7, "inputs": [one("spo2", 90, "%"), one("heart-rate", 131, "/min")]}, "7"),
        ({"metric": "symptoms", "value": "chest pain", "inputs": []}, ""),
    ],
)
def test_it_says_what_was_found(finding: dict[str, Any], words: str) -> None:
    assert value_of(finding, "metric") == words


def test_a_change_is_in_the_readers_unit() -> None:
    warmer = [one("temperature", 39.0, "Cel"), one("temperature", 37.0, "Cel")]
    assert value_of({"metric": "temperature", "kind": "change", "inputs": warmer}, "us") == "+3.6 °F"
    assert value_of({"metric": "glucose", "kind": "change", "inputs": GLUCOSE}, "us") == "-60 mg/dL"
