"""A log that has grown large is put aside while its writer goes on."""

import os
from pathlib import Path

import pytest

from bedside.foundation.engines.process import open_log, turn_logs

pytestmark = pytest.mark.unit


def test_a_large_log_is_put_aside_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "web.log"
    out = open_log(path)
    os.write(out, b"x" * 100)
    turn_logs(tmp_path, limit=100)
    assert path.stat().st_size == 100
    turn_logs(tmp_path, limit=99)
    os.write(out, b"next\n")
    os.close(out)
    assert path.read_bytes() == b"next\n"
    assert path.with_suffix(".log.1").read_bytes() == b"x" * 100
    assert path.stat().st_mode & 0o777 == 0o600
