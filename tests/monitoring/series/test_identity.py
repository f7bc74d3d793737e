"""An id leads back to its identity and is nobody else's."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.monitoring.ingest.model.metrics import METRICS
from bedside.monitoring.series.model.identity import Identity, identity, owns

pytestmark = pytest.mark.unit

identities = st.builds(Identity, st.integers(1, 2**31 - 1), st.sampled_from(sorted(METRICS)), st.integers(1, 2**62 - 1))


@given(identities)
def test_there_and_back(one: Identity) -> None:
    assert re.fullmatch(r"[A-Za-z0-9\-.]{1,64}", one.id)
    back = identity(one.id)
    assert back is not None
    assert one in back.members
    assert {member.id for member in one.members} == {one.id}


@given(identities, identities)
def test_two_readings_share_an_id_only_as_one_panel(one: Identity, other: Identity) -> None:
    assert (one.id == other.id) is (other in one.members)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "r.1.1",
        "r.01.1.5",
        "r.1.5.5",
        "p.1.1.5",
        "p.1.6.5",
        "r.1.999.5",
        "r.1.1.5\n",
        "5",
        "01a21211-1479-73ce-b026-a484ab447af3",
    ],
)
def test_what_is_none_of_ours(name: str) -> None:
    assert not owns(name)


@given(st.text(max_size=40))
def test_any_text(name: str) -> None:
    found = identity(name)
    assert found is None or found.id == name
