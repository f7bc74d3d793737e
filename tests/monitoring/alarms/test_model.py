"""The table of states: what leads where, and that nothing else does."""

from __future__ import annotations

from typing import get_args

import pytest

from bedside.foundation.errors import Conflict
from bedside.monitoring.alarms.model import (
    CLOSED,
    OPEN,
    TRANSITIONS,
    UNSEEN,
    Event,
    Rung,
    State,
    after,
    rung_at,
)

pytestmark = pytest.mark.unit

STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)


def test_every_state_is_open_or_closed() -> None:
    assert set(STATES) == OPEN | CLOSED
    assert not OPEN & CLOSED


def test_the_table_knows_only_states_and_events() -> None:
    for (state, event), to in TRANSITIONS.items():
        assert state in STATES
        assert event in EVENTS
        assert to in STATES


@pytest.mark.parametrize("state", sorted(CLOSED))
@pytest.mark.parametrize("event", EVENTS)
def test_a_closed_alarm_stays_closed_but_for_a_slip(state: State, event: Event) -> None:
    if event == "undo" and state in {"resolved", "false-alarm"}:
        assert after(state, event) in UNSEEN
        return
    with pytest.raises(Conflict):
        after(state, event)


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_alarm_can_be_seen_and_answered(state: State) -> None:
    for event in ("acknowledge", "act", "hand-over", "dismiss", "withdraw", "supersede"):
        assert after(state, event) not in UNSEEN


@pytest.mark.parametrize("state", sorted(UNSEEN))
def test_what_nobody_saw_never_closes_by_itself(state: State) -> None:
    for event in ("escalate", "end", "resume", "return"):
        if (state, event) in TRANSITIONS:
            assert after(state, event) in UNSEEN
    with pytest.raises(Conflict, match="cannot be done now"):
        after(state, "resolve")


def test_every_open_state_can_be_reached_from_raised() -> None:
    reached, todo = {"raised"}, ["raised"]
    while todo:
        state = todo.pop()
        for (source, _), to in TRANSITIONS.items():
            if source == state and to not in reached:
                reached.add(to)
                todo.append(to)
    assert reached == set(STATES)


def test_the_ladder_repeats_its_last_step() -> None:
    nurse, doctor = Rung(1, (("n", "Nurse"),)), Rung(3, (("d", "Doctor"),))
    ladder = [nurse, doctor]
    assert rung_at(ladder, 1) == (nurse, False)
    assert rung_at(ladder, 2) == (doctor, False)
    assert rung_at(ladder, 3) == (doctor, True)
    assert rung_at(ladder, 9) == (doctor, True)
    assert rung_at([], 1) == (None, True)
