"""The decoder: what is taken, what is refused and why, and that nothing whatever makes it fall over."""

from array import array
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.monitoring.waves_made import lead, message

from bedside.monitoring.ingest.model.taken import NotAPack
from bedside.monitoring.waves.model.message import MOST_LEADS, Sent, decode

pytestmark = pytest.mark.unit

NOW = 1_790_000_000
RECEIVED = NOW * 1_000_000


def read(*leads: Any) -> Sent:
    return decode(message(7, *leads), RECEIVED)


def test_a_message_is_read_exactly() -> None:
    sent = read(lead("ecg-ii", NOW + 0.25, [1, -2, -32768, 4], off=[[1, 2]], o=-5.12), lead("pleth", NOW, [9], hz=62.5))
    assert (sent.seq, sent.refused, sent.places) == (7, [], [1, 2])
    ecg, pleth = sent.pieces
    assert (ecg.lead, ecg.time, ecg.hz, ecg.k, ecg.o, ecg.unit) == (2, RECEIVED + 250_000, 250, 0.005, -5.12, "mV")
    assert array("h", ecg.samples).tolist() == [1, -2, -32768, 4]
    assert ecg.off == ((1, 2),)
    assert ecg.end == ecg.time + 16_000
    assert (pleth.lead, pleth.hz) == (20, 62.5)


REFUSED: dict[str, Any] = {
    "unknown lead": lead("ecg-x", NOW, [1]),
    "a field that is not known here": lead("ecg-ii", NOW, [1], gain=200),
    "hz is not above 0 and at most 500": lead("ecg-ii", NOW, [1], hz=501),
    "hz is not a number": lead("ecg-ii", NOW, [1], hz=float("nan")),
    "wrong unit: mV, uV are taken": lead("ecg-ii", NOW, [1], u="V"),
    "k is not above 0, or k or o is too large or too small": lead("ecg-ii", NOW, [1], k=-1),
    "s is not a typed array of int16, little-endian (tag 77)": lead("ecg-ii", NOW, [1], s=b"\0\0"),
    "s ends within a sample": lead("ecg-ii", NOW, [1], s=cbor2.CBORTag(77, b"\0\0\0")),
    "a lead holds 1 to 5000 samples and at most 10 s": lead("ecg-ii", NOW, [0] * 2501),
    "the time is before the year 2000": lead("ecg-ii", 1, [1]),
    "the time is more than 48 h ahead of now": lead("ecg-ii", NOW + 200_000, [1]),
    "off is not at most 64 pairs [first, last] of samples, in order, apart from each other": lead(
        "ecg-ii", NOW, [1, 2, 3], off=[[0, 1], [1, 2]]
    ),
    "not a map": "ecg-ii",
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_taken_is_refused_by_place_and_reason_and_the_rest_is_taken(reason: str) -> None:
    sent = read(lead("resp", NOW, [1]), REFUSED[reason], lead("abp", NOW, [1]))
    assert [(one.index, one.reason) for one in sent.refused] == [(2, reason)]
    assert [piece.lead for piece in sent.pieces] == [21, 22]


def test_a_lead_twice_and_too_many_leads_are_refused() -> None:
    twice = read(lead("ecg-ii", NOW, [1]), lead("ecg-ii", NOW, [2]))
    assert [one.index for one in twice.refused] == [2]
    many = read(*(lead("ecg-ii", NOW + n, [1]) for n in range(MOST_LEADS + 2)))
    assert len(many.pieces) == MOST_LEADS
    assert [one.index for one in many.refused] == [17, 18]


@pytest.mark.parametrize(
    "payload", [b"", b"\xff", b"{}", cbor2.dumps({"seq": 1}), cbor2.dumps([1] * 65), b"\x81" * 5000]
)
def test_what_is_no_message_is_refused_as_a_whole(payload: bytes) -> None:
    with pytest.raises(NotAPack):
        decode(payload, RECEIVED)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["n", "t", "hz", "u", "k", "o", "s", "off", "seq"]), inner, max_size=8)
        | st.builds(cbor2.CBORTag, st.sampled_from([1, 2, 4, 28, 29, 30, 77, 78, 258]), inner)
    ),
    max_leaves=12,
)
known = st.fixed_dictionaries(
    {},
    optional={
        "n": st.sampled_from(["ecg-ii", "pleth"]) | values,
        "t": st.just(NOW) | values,
        "hz": st.sampled_from([250, 0, 1e-320]) | values,
        "u": st.sampled_from(["mV", "1"]) | values,
        "k": st.sampled_from([1, 5e-324, 1e300]) | values,
        "s": st.builds(cbor2.CBORTag, st.just(77), st.binary(max_size=40)) | values,
        "off": st.lists(st.lists(st.integers(-1, 30), max_size=3), max_size=3) | values,
        "o": values,
    },
)


def taken_or_refused(payload: bytes) -> None:
    """Either NotAPack, or each item is taken or refused, and what is taken can be stored."""
    try:
        sent = decode(payload, RECEIVED)
    except NotAPack:
        return
    assert len(sent.pieces) == len(sent.places)
    assert not set(sent.places) & {one.index for one in sent.refused}
    for piece in sent.pieces:
        assert piece.time < piece.end < 2**63
        assert 0 < len(piece.samples) <= 10_000


@given(st.binary(max_size=200))
def test_any_bytes(payload: bytes) -> None:
    taken_or_refused(payload)


@given(st.lists(known | values, max_size=5))
def test_any_items(items: list[Any]) -> None:
    try:
        payload = cbor2.dumps(items)
    except (ValueError, TypeError, OverflowError, cbor2.CBORError):
        return
    taken_or_refused(payload)
