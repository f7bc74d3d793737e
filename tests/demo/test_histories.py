"""The invented patients are plausible: problems, medicines, results and dates fit each other."""

from __future__ import annotations

import time
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from bedside.demo import histories, seeding
from bedside.demo.devices import Card, Simulated

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 25)


def drawn(seed: int = 1) -> list[histories.Patient]:
    return histories.draw(seed, 40, TODAY)


def of_type(patient: histories.Patient, kind: str) -> list[dict[str, Any]]:
    return [one for one in patient.resources if one["resourceType"] == kind]


def test_a_seed_repeats_the_clinic() -> None:
    assert [p.resources for p in drawn(3)] == [p.resources for p in drawn(3)]
    assert [p.name for p in drawn(3)] != [p.name for p in drawn(4)]
    devices = [seeding.device_name(d) for p in drawn(3) for d in p.devices]
    assert devices == [seeding.device_name(d) for p in drawn(3) for d in p.devices]
    assert len(set(devices)) == len(devices)


@pytest.mark.parametrize("seed", range(1, 6))
def test_what_is_acute_is_recent_and_nobody_takes_a_medicine_before_its_reason(seed: int) -> None:
    for patient in drawn(seed):
        onsets = {
            one["code"]["text"]: date.fromisoformat(one["onsetDateTime"]) for one in of_type(patient, "Condition")
        }
        assert all(patient.birth_date < onset <= TODAY for onset in onsets.values())
        if "Pneumonia" in onsets:
            assert TODAY - onsets["Pneumonia"] < timedelta(days=14)
        if "Pregnancy" in onsets:
            assert timedelta(days=60) < TODAY - onsets["Pregnancy"] < timedelta(days=270)
        for taken in of_type(patient, "MedicationStatement"):
            assert date.fromisoformat(taken["effectivePeriod"]["start"]) >= min(onsets.values())


def test_results_fit_the_disease_and_say_when_they_lie_outside() -> None:
    for patient in drawn():
        for one in of_type(patient, "Observation"):
            value, limits = one["valueQuantity"]["value"], one["referenceRange"][0]
            outside = value > limits["high"]["value"] or ("low" in limits and value < limits["low"]["value"])
            assert ("interpretation" in one) == outside
        creatinine = [
            o["valueQuantity"]["value"] for o in of_type(patient, "Observation") if o["code"]["text"] == "Creatinine"
        ]
        if patient.kind.key == "kidney":
            assert min(creatinine) > 1.2
        if patient.kind.key == "child":
            assert not creatinine
        assert patient.email.isascii()


def test_no_moment_is_sent_twice_of_the_past_week(tmp_path: Path) -> None:
    card = Card("mo-1", "", "", "", "", "monitor", {"heart-rate": 70.0, "spo2": 97.0, "systolic": 120.0})
    device = Simulated(card, tmp_path, time.monotonic())
    seen = Counter(
        (record["n"], record["t"])
        for _, pack in device.past_week(time.time())
        for record in orjson.loads(pack)
        if record["n"] != "seq"
    )
    assert max(seen.values()) == 1
