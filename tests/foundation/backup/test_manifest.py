"""A set is what its home signed, in its place, with all that it was made after and no gap; or it is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedside.foundation.backup import check, manifest, retention
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.manifest import Piece, Set
from bedside.foundation.backup.sealed import Sealed
from bedside.foundation.backup.store import Folder
from bedside.foundation.errors import Conflict, Unprocessable

pytestmark = pytest.mark.unit

KEY = RecoveryKey.make()
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def piece(n: int) -> Piece:
    return Piece(f"00000001{n // 256:08X}{n % 256:08X}", Sealed(f"L/wal/{n}", 1, "0" * 64, 1))


def one(id_: str, hours: float = 0, parent: str = "", **more: Any) -> Set:
    """A set made so many hours before NOW, its log kept for a day."""
    began = NOW - timedelta(hours=hours)
    facts: dict[str, Any] = {
        "format": 1,
        "line": "L",
        "id": id_,
        "kind": "incremental" if parent else "full",
        "n": 1,
        "version": "0",
        "began": began,
        "ended": began + timedelta(minutes=5),
        "until": began + DAY + timedelta(minutes=6),
        "parent": parent,
        "parent_base": f"hash of {parent}" if parent else "",
        "base": Sealed(f"L/sets/{id_}/base", 1, f"hash of {id_}", 1),
        "start": piece(3).segment,
        "stop": "0/3000100",
        "reached": "0/5000000",
        "wal": (piece(3), piece(4)),
    }
    return Set(**(facts | more))


def test_segments_and_positions_count_as_postgresql_counts() -> None:
    assert manifest.segment_of(1, "0/3000028") == "000000010000000000000003"
    assert manifest.segment_of(2, "1/FF000000") == "0000000200000001000000FF"
    assert manifest.number("0000000200000001000000FF") == 511
    assert manifest.lsn_value("1/0") == 1 << 32


def test_what_was_signed_is_read_and_what_was_changed_is_refused(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    manifest.write(store, one("A"), KEY.signer())
    public = KEY.signer().public
    assert manifest.read(store, "L", "A", public) == one("A")
    path = tmp_path / "L" / "sets" / "A" / "manifest"
    whole = path.read_bytes()
    for at in range(0, len(whole) - 1, 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(Conflict):
            manifest.read(store, "L", "A", public)
    for left in (0, 10, len(whole) - 5):
        path.write_bytes(whole[:left])
        with pytest.raises(Conflict):
            manifest.read(store, "L", "A", public)


def test_another_clinics_or_a_moved_manifest_is_refused(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    manifest.write(store, one("A"), RecoveryKey.make().signer())
    with pytest.raises(Conflict, match="of another clinic"):
        manifest.read(store, "L", "A", KEY.signer().public)
    manifest.write(store, one("A"), KEY.signer())
    (tmp_path / "L/sets/B").mkdir()
    (tmp_path / "L/sets/A/manifest").rename(tmp_path / "L/sets/B/manifest")
    with pytest.raises(Conflict, match="is the manifest of L/A"):
        manifest.read(store, "L", "B", KEY.signer().public)


def test_a_chain_goes_back_to_its_full_set_and_misses_none() -> None:
    sets = [one("A", 3), one("B", 2, "A"), one("C", 1, "B")]
    assert [each.id for each in manifest.chain(sets, sets[2])] == ["A", "B", "C"]
    with pytest.raises(Conflict, match="B, which is missing"):
        manifest.chain([sets[0], sets[2]], sets[2])
    other = msgspec.structs.replace(sets[1], base=Sealed("L/sets/B/base", 1, "another", 1))
    with pytest.raises(Conflict, match="not made after the B that is there"):
        manifest.chain([sets[0], other, sets[2]], sets[2])


def test_a_gap_in_the_log_is_found() -> None:
    assert manifest.whole_log(one("A"))
    for wal in ((), (piece(4),), (piece(3), piece(5)), (piece(4), piece(3))):
        assert not manifest.whole_log(one("A", wal=wal))
    assert not manifest.whole_log(one("A", reached="0/3000000"))
    with pytest.raises(Conflict, match="gap"):
        check.needs([one("A", wal=(piece(4),))], one("A", wal=(piece(4),)))


def test_a_moment_is_found_in_its_set_or_refused_with_those_that_can_be() -> None:
    sets = [one("A", 48), one("B", 24, "A")]
    assert check.pick(sets, None, None).id == "B"
    assert check.pick(sets, NOW - 25 * timedelta(hours=1), None).id == "A"
    assert check.pick(sets, NOW - timedelta(hours=1), None).id == "B"
    with pytest.raises(Unprocessable, match="cannot be restored") as refused:
        check.pick(sets, NOW - 3 * DAY, None)
    assert "2026-11-27 12:05:00 to 2026-11-28 12:06:00" in str(refused.value.remedy)


def test_what_has_outlived_its_days_goes_but_never_what_is_needed() -> None:
    sets = [one("A", 240), one("B", 216, "A"), one("C", 192), one("D", 168, "C"), one("E", 24, "D")]

    def gone(days: float, sets: list[Set] = sets) -> list[str]:
        return [each.id for each in retention.outlived(sets, NOW, timedelta(days=days))]

    assert gone(30) == []
    assert gone(7.5) == ["A", "B"]
    assert gone(9.5) == []  # A answers for the moments of nine and a half days ago
    assert gone(0) == ["A", "B"]  # E needs D, and D needs C
    assert gone(0, [one("A", 24 * 400)]) == []
    assert gone(0, []) == []


@given(
    st.lists(st.tuples(st.floats(-10, 2000), st.booleans()), min_size=1, max_size=20, unique_by=lambda pair: pair[0]),
    st.floats(0, 60),
)
def test_every_moment_that_is_kept_stays_restorable(drawn: list[tuple[float, bool]], days: float) -> None:
    ordered = sorted(drawn, reverse=True)
    sets: list[Set] = []
    for n, (hours, full) in enumerate(ordered):
        later = ordered[n + 1][0] if n + 1 < len(ordered) else hours - 24
        until = NOW - timedelta(hours=later) + timedelta(minutes=6)
        sets.append(one(str(n), hours, "" if full or not n else str(n - 1), until=until))
    left = [each for each in sets if each not in retention.outlived(sets, NOW, timedelta(days=days))]
    assert sets[-1] in left
    for each in left:
        manifest.chain(left, each)  # raises when one is missing
    for hours in (0, days * 6, days * 12, days * 18, days * 23.99):
        moment = NOW - timedelta(hours=hours)
        if any(each.ended <= moment <= each.until for each in sets):
            assert any(each.ended <= moment <= each.until for each in left)
