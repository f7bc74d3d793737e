"""The table of states: what leads where, and that nothing else does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from bedside.foundation.errors import Conflict
from bedside.monitoring.alarms.model import (
    CLOSED,
    OPEN,
    SAYS,
    TRANSITIONS,
    UNSEEN,
    WAITING,
    Delay,
    Event,
    Rung,
    State,
    after,
    rung_at,
)

pytestmark = pytest.mark.unit

STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)


def test_every_state_waits_or_is_open_or_closed() -> None:
    assert set(STATES) == WAITING | OPEN | CLOSED
    assert len(STATES) == len(WAITING) + len(OPEN) + len(CLOSED)
    assert set(SAYS) == set(STATES)


def test_what_waits_is_raised_or_over_and_nothing_else() -> None:
    found = {event: to for (state, event), to in TRANSITIONS.items() if state == "pending"}
    assert found == {"raise": "raised", "end": "passed", "withdraw": "withdrawn"}
    assert {state for (state, _), to in TRANSITIONS.items() if to == "pending"} == set()
    assert {state for (state, _), to in TRANSITIONS.items() if to == "passed"} == {"pending"}


def test_a_pause_ends_as_an_alarm_or_by_somebody_who_saw_it() -> None:
    assert {state for (state, _), to in TRANSITIONS.items() if to == "paused"} == (OPEN - {"ended"})
    found = {event: to for (state, event), to in TRANSITIONS.items() if state == "paused"}
    assert found == {
        "pause": "paused",
        "unpause": "raised",
        "return": "raised",
        "acknowledge": "acknowledged",
        "act": "acted",
        "hand-over": "acknowledged",
        "end": "resolved",
        "resolve": "resolved",
        "dismiss": "false-alarm",
        "withdraw": "withdrawn",
        "supersede": "superseded",
    }


def test_a_delay_is_over_by_the_server_s_time_or_by_the_readings() -> None:
    began = datetime(2026, 11, 29, 12, tzinfo=UTC)
    delay = Delay(began, began - timedelta(seconds=4), 15)
    assert delay.until == began + timedelta(seconds=15)
    for server, device, over in ((14, 10, False), (15, 3, True), (1, 10, False), (1, 11, True)):
        assert delay.over(began + timedelta(seconds=server), began + timedelta(seconds=device)) is over


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
    reached, todo = {"raised", "pending", "passed"}, ["raised"]
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
