"""What waits for days keeps the moment at which it was measured."""

from __future__ import annotations

import cbor2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.gateway.resolving import CBOR, JSON, NotSenml, joined, resolved
from bedside.monitoring.ingest.model import senml

pytestmark = pytest.mark.unit

NOW = 1_795_000_000.0
LATER = NOW + 72 * 3600


def read(body: bytes, received: float, media: str) -> list[tuple[int, int, float]]:
    pack = senml.decode(body, round(received * 1e6), "json" if media == JSON else "cbor")
    return list(
        zip(pack.metric, pack.time, pack.value, [unit for _, unit in pack.sent.values()] or [0] * 99, strict=False)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("media", [JSON, CBOR])
def test_three_days_later_it_reads_as_it_did(media: str) -> None:
    records = [
        {"n": "seq", "v": 7},
        {"bn": "urn:dev:", "bu": "/min", "bv": 60, "n": "heart-rate", "v": 12},
        {"n": "heart-rate", "v": 14, "t": -5},
        {"bn": "", "bu": "Cel", "bv": 0, "n": "temperature", "v": 36.7, "t": -1.5},
    ]
    body = orjson.dumps(records) if media == JSON else cbor2.dumps(records)
    kept, count = resolved(body, media, NOW)
    assert count == 4
    assert read(kept, LATER, media) == read(body, NOW, media)
    pack = senml.decode(kept, round(LATER * 1e6), "json" if media == JSON else "cbor")
    assert pack.seq == 7
    assert not pack.relative


@pytest.mark.parametrize("media", [JSON, CBOR])
def test_several_go_as_one(media: str) -> None:
    packs = []
    for n in range(3):
        records = [
            {"n": "seq", "v": n},
            {"bt": NOW + n, "bu": "/min", "n": "heart-rate", "v": 70 + n},
            {"n": "spo2", "u": "%", "v": 97},
        ]
        packs.append(orjson.dumps(records) if media == JSON else cbor2.dumps(records))
    one = joined([resolved(pack, media, NOW)[0] for pack in packs], media)
    assert read(one, LATER, media) == [reading for pack in packs for reading in read(pack, NOW, media)]


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5))
RECORDS = st.lists(st.dictionaries(st.sampled_from(["n", "v", "u", "t", "bt", "bn", "bv", "bu", "vs", "x"]), VALUES))


@given(st.one_of(RECORDS, VALUES))
def test_anything_is_resolved_or_refused_in_words(value: object) -> None:
    body = cbor2.dumps(value)
    try:
        kept, _ = resolved(body, CBOR, NOW)
    except NotSenml:
        return
    resolved(kept, CBOR, LATER)


@given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    for media in (JSON, CBOR):
        try:
            resolved(body, media, NOW)
        except NotSenml:
            continue
