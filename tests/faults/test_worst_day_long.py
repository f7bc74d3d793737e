"""All thirty of worst_day.py, each as long as it says: `make soak`."""

from pathlib import Path

import pytest
from tests.faults.test_worst_day import days, wrong_clocks
from tests.faults.worst_day import CASES, CLOCKS

pytestmark = pytest.mark.soak


def test_thirty_bad_days(tmp_path: Path) -> None:
    assert len(CASES) == 30
    days(tmp_path, CASES)


def test_every_wrong_clock(tmp_path: Path) -> None:
    wrong_clocks(tmp_path, CLOCKS, None)
