"""SMART scopes: what is granted is what was asked and is held, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.access.model.scopes import LETTER, allows, narrow, parse
from bedside.foundation.errors import Invalid

pytestmark = pytest.mark.unit

TYPES = ("*", "Patient", "Observation", "Condition")
LETTERS = ["".join(c for n, c in enumerate("cruds") if mask >> n & 1) for mask in range(1, 32)]
scope = st.builds(lambda kind, letters: f"system/{kind}.{letters}", st.sampled_from(TYPES), st.sampled_from(LETTERS))
scopes = st.frozensets(scope, min_size=1, max_size=4)


@given(asked=scopes, held=scopes)
def test_narrowing_is_the_meeting_of_both(asked: frozenset[str], held: frozenset[str]) -> None:
    granted = narrow(asked, held)
    for action in LETTER:
        for kind in ("Patient", "Observation", "Condition", "Practitioner"):
            both = allows(asked, action, kind) and allows(held, action, kind)
            assert allows(granted, action, kind) == both, (action, kind, granted)


@given(asked=scopes)
def test_a_scope_that_is_asked_for_is_read_as_written(asked: frozenset[str]) -> None:
    assert parse(" ".join(asked)) == asked


@given(st.text(max_size=40))
def test_anything_else_is_refused_or_is_a_scope(text: str) -> None:
    try:
        found = parse(text)
    except Invalid:
        return
    assert all(one.startswith("system/") for one in found)
