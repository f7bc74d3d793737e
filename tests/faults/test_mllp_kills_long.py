"""The proof of test_mllp_kills.py with many rounds: `make soak`."""

from pathlib import Path

import pytest
from tests.faults.test_mllp_kills import answers_lost, anything_killed, ward

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]


def test_many_kills_while_a_ward_sends(tmp_path: Path) -> None:
    with ward(tmp_path) as made:
        answers_lost(made, 30)
        anything_killed(made, ("ingest", "PostgreSQL", "NATS", "PostgreSQL", "ingest") * 6, 5.0)
