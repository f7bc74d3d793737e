"""What is kept is kept: in order, until it is passed on, and never more than there is room for."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from bedside.gateway.resolving import JSON
from bedside.gateway.store import Full, Journal, Locked, Standing

pytestmark = pytest.mark.unit


def test_in_order_by_device_until_it_is_passed_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "gateway.db", 10_000_000)
    for n, device in enumerate(("a", "b", "a")):
        journal.put(device, JSON, b"%d" % n, 100.0 + n)
    first, second = journal.first("a", 5)
    assert (first.body, second.body) == (b"0", b"2")
    journal.passed_on("a", first.n)
    assert journal.first("a", 5) == [second]
    assert journal.standing() == Standing(2, 101.0, 0)
    journal.set_aside(second.n, 422, "no")
    assert journal.first("a") == []
    assert journal.standing() == Standing(1, 101.0, 1)
    journal.close()
    again = Journal(tmp_path / "gateway.db", 10_000_000)
    assert again.devices() == ["b"]
    assert again.standing().refused == 1


def test_no_room_is_said_and_what_was_kept_stays(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "gateway.db", 64 * 4096)
    kept = 0
    with pytest.raises(Full):
        for _ in range(1000):
            journal.put("a", JSON, b"x" * 2000, 1.0)
            kept += 1
    assert 20 < kept < 1000
    assert journal.standing().waiting == kept
    # Room comes back as it is passed on.
    for _ in range(10):
        (first,) = journal.first("a")
        journal.passed_on("a", first.n)
    journal.put("a", JSON, b"x" * 2000, 2.0)


def test_one_journal_is_one_gateway_s(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "gateway.db", 10_000_000)
    journal.put("a", JSON, b"1", 1.0)
    with pytest.raises(Locked):
        Journal(tmp_path / "gateway.db", 10_000_000)


def test_threads_take_turns(tmp_path: Path) -> None:
    """What is kept while another message is set aside, or fails to be, is kept."""
    journal = Journal(tmp_path / "gateway.db", 50_000_000)
    numbers = [journal.put("old", JSON, b"x", 1.0) for _ in range(150)]
    kept: list[int] = []

    def keep() -> None:
        kept.extend(journal.put("new", JSON, b"y", 2.0) for _ in range(150))

    def set_aside() -> None:
        for number in numbers:
            journal.set_aside(number, 422, "no")

    threads = [threading.Thread(target=work) for work in (keep, set_aside, keep)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    again = Journal(tmp_path / "gateway.db", 50_000_000)
    assert [one.n for one in again.first("new", 1000)] == sorted(kept)
    assert again.standing() == Standing(300, 2.0, 150)
