"""Damaged and made-up SenML: whatever comes is refused with a reason, or can be stored (fuzz.py says what that is)."""

from __future__ import annotations

from itertools import islice

import pytest
from tests.monitoring.ingest.fuzz import messages, taken_or_refused

pytestmark = pytest.mark.unit


def test_some_thousand_messages() -> None:
    packs = [taken_or_refused(message) for message in islice(messages(2026), 6000)]
    read = [pack for pack in packs if pack is not None]
    assert 1000 < len(read) < 5900
    assert sum(len(pack.value) for pack in read) > 500
    assert sum(len(pack.refused) for pack in read) > 500
