"""Logs carry no health data."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from bedside.foundation import telemetry
from bedside.foundation.errors import Conflict

pytestmark = pytest.mark.unit


class Captured:
    """What was logged, line by line."""

    def __init__(self) -> None:
        self.buffer = io.BytesIO()

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.buffer.getvalue().splitlines()]


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Captured]:
    out = Captured()
    handlers = logging.root.handlers[:]
    monkeypatch.setattr(sys, "stderr", type("Stream", (), {"buffer": out.buffer})())
    telemetry.configure("tests")
    yield out
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.root.handlers[:] = handlers


def test_phi_keys_are_dropped_at_any_depth(captured: Captured) -> None:
    telemetry.logger("t").info("seen", phi_name="Maria", where={"phi": {"x": 1}, "ward": 3, "graphics": 1}, count=2)
    [line] = captured.lines()
    assert "Maria" not in str(line)
    assert line["where"] == {"ward": 3, "graphics": 1}
    assert (line["count"], line["process"], line["part"], line["level"]) == (2, "tests", "t", "info")


def test_phi_keys_stay_where_the_operator_asks_for_them(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BEDSIDE_LOG_PHI", "1")
    telemetry.logger("t").info("seen", phi_name="Maria")
    assert captured.lines()[0]["phi_name"] == "Maria"


def test_an_error_is_its_kind_and_place_and_our_own_words(captured: Captured) -> None:
    try:
        try:
            raise ValueError("Maria Silva")
        except ValueError as inner:
            raise Conflict("The slot is taken.") from inner
    except Conflict as error:
        telemetry.logger("t").error("failed", exc_info=error)
    [line] = captured.lines()
    assert "Maria" not in str(line)
    assert line["error"] == "Conflict"
    assert line["error_message"] == "The slot is taken."
    assert line["cause"].startswith("ValueError in ")
    assert line["frames"][-1].endswith("test_an_error_is_its_kind_and_place_and_our_own_words")


def test_a_library_is_heard_without_its_arguments(captured: Captured) -> None:
    logging.getLogger("asyncpg.pool").warning("lost %s after %d tries", "Maria", 3)
    assert captured.lines()[0]["event"] == "lost … after 3 tries"


def test_a_line_that_the_disk_has_no_room_for_is_lost_and_nobody_falls_over_it() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device, not a path of ours
        telemetry.configure("test", file=full)
        try:
            for _ in range(3):
                telemetry.logger("test").error("said on a full disk", where="x" * 9000)
        finally:
            telemetry.configure("test")
            full.raw.close()
