"""Identifiers: what is made later stands later, also within a millisecond."""

from __future__ import annotations

import uuid

import pytest

from bedside.foundation import ids

pytestmark = pytest.mark.unit


def test_ids_of_one_millisecond_stand_in_the_order_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(1_795_000_000_000_000_000, 1_795_000_000_001_000_000, 1_000))
    monkeypatch.setattr(ids.time, "time_ns", lambda: next(moments))
    made = [ids.uuid7() for _ in range(1_000)]
    assert made == sorted(made)
    assert len({one[:13] for one in made}) == 1, "all of one millisecond"
    assert {(uuid.UUID(one).version, uuid.UUID(one).variant) for one in made} == {(7, uuid.RFC_4122)}
