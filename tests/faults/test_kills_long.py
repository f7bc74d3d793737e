"""The proof of test_kills.py with many rounds: `make soak`. BEDSIDE_ROUNDS says how many."""

import os
from pathlib import Path

import pytest
from tests.faults.test_kills import rounds_of_kills

pytestmark = pytest.mark.soak


def test_many_rounds_of_kills(tmp_path: Path) -> None:
    rounds_of_kills(tmp_path, rounds=int(os.environ.get("BEDSIDE_ROUNDS", "40")), seed=1)
