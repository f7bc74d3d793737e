"""The ledger itself sees every kind of fault: a judge that cannot fail would prove nothing."""

from pathlib import Path

import pytest
from tests.faults.ledger import Entry, Ledger

pytestmark = pytest.mark.unit


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(tmp_path / "ledger")
    for key in ("a", "b"):
        ledger.sending(Entry("ann", key, "120/80"))
        ledger.acked(key)
    return ledger


GOOD = [Entry("ann", "a", "120/80"), Entry("ann", "b", "120/80")]


def test_what_is_there_once_is_clean(ledger: Ledger) -> None:
    assert ledger.compare(GOOD).clean


@pytest.mark.parametrize(
    ("stored", "what"),
    [
        (GOOD[:1], "lost"),
        ([*GOOD, GOOD[0]], "duplicate"),
        ([GOOD[0], Entry("ann", "b", "121/80")], "corrupt"),
        ([*GOOD, Entry("ann", "c", "120/80")], "phantom"),
        ([GOOD[0], Entry("bob", "b", "120/80")], "wrong_owner"),
    ],
)
def test_each_fault_is_seen(ledger: Ledger, stored: list[Entry], what: str) -> None:
    verdict = ledger.compare(stored)
    assert getattr(verdict, what) == 1
    assert not verdict.clean


def test_what_nobody_answered_is_unresolved(ledger: Ledger) -> None:
    ledger.sending(Entry("ann", "d", "1/1"))
    assert ledger.compare(GOOD).unresolved == 1


def test_what_was_sent_is_on_the_disk_before_it_is_sent(ledger: Ledger, tmp_path: Path) -> None:
    ledger.sending(Entry("ann", "e", "1/1"))
    assert '"e"' in (tmp_path / "ledger").read_text()
