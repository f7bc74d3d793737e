"""Bluetooth packets of random and of wrong bytes for 20 minutes (or BEDSIDE_FUZZ_SECONDS), by gatt.mjs."""

from __future__ import annotations

import os
import re

import pytest
from tests.web.readings.test_gatt import run

pytestmark = pytest.mark.soak

LONG = float(os.environ.get("BEDSIDE_FUZZ_SECONDS", "1200"))


def test_any_bytes_for_long() -> None:
    told = re.search(r"(\d+) packets, (\d+) of them readings", run(LONG).stdout)
    assert told is not None
    print(told[0])
    assert int(told[1]) > 40_000
