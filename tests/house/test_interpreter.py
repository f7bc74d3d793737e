"""Which Python .venv is made with: a faster one of the system is taken, and nothing that could not make it."""

import sys
from pathlib import Path

import pytest
from tools import interpreter

pytestmark = pytest.mark.unit


def python(place: Path, answer: str) -> Path:
    """A program that answers the timing as told."""
    place.write_text(f"#!/bin/sh\n{answer}\n")
    place.chmod(0o755)
    return place


@pytest.mark.parametrize(
    ("other", "taken"),
    [("echo 0.1", True), ("echo 0.19", False), ("echo 0.4", False), ("exit 1", False), ("echo what", False)],
    ids=["much faster", "hardly faster", "slower", "cannot", "unintelligible"],
)
def test_the_faster_is_taken(tmp_path: Path, other: str, taken: bool) -> None:
    mine, system = python(tmp_path / "mine", "echo 0.2"), python(tmp_path / "system", other)
    chosen, why = interpreter.choose(mine, system)
    assert chosen == (system if taken else mine)
    assert ("2.0 times as fast" in why) is taken


def test_without_another_there_is_nothing_to_choose(tmp_path: Path) -> None:
    mine = python(tmp_path / "mine", "exit 1")
    assert interpreter.choose(mine, tmp_path / "none") == (mine, "")
    (tmp_path / "link").symlink_to(mine)
    assert interpreter.choose(mine, tmp_path / "link") == (mine, "")


def test_the_work_is_timed_for_real() -> None:
    found = interpreter.seconds(Path(sys.executable))
    assert found is not None
    assert 0 < found < 60
