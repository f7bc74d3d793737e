"""An object opens to what was sealed, or is refused: changed, cut, another under its name, not for this key."""

import io
import random
from pathlib import Path

import pytest

from bedside.foundation.backup import sealed
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.sealed import Sealed
from bedside.foundation.backup.store import Folder
from bedside.foundation.errors import Conflict, Invalid, NotFound

pytestmark = pytest.mark.unit

KEY = RecoveryKey.make()
TEXT = random.Random(7).randbytes(300_000) + b"\0" * 500_000


def kept(folder: Path, text: bytes = TEXT, name: str = "a.zst.age") -> tuple[Folder, Sealed]:
    store = Folder(folder)
    return store, sealed.seal(store, name, io.BytesIO(text), KEY.recipient)


def read(store: Folder, what: Sealed, key: RecoveryKey = KEY) -> bytes:
    parts = []
    with sealed.opened(store, what, key) as plain:
        while chunk := plain.read(1 << 16):
            parts.append(chunk)
    return b"".join(parts)


@pytest.mark.parametrize("text", [b"", b"a", TEXT])
def test_what_was_sealed_is_opened(tmp_path: Path, text: bytes) -> None:
    store, what = kept(tmp_path, text)
    assert read(store, what) == text
    assert what.plain == len(text)
    sealed.look(store, what)


def test_nothing_of_it_stands_there_in_the_clear(tmp_path: Path) -> None:
    text = b"Rosa Alvarez 178/112 " * 500
    store, what = kept(tmp_path, text)
    raw = (store.root / what.name).read_bytes()
    assert raw.startswith(b"age-encryption.org/v1")
    assert b"Rosa" not in raw


def test_any_changed_byte_is_found(tmp_path: Path) -> None:
    store, what = kept(tmp_path)
    path, chance = tmp_path / what.name, random.Random(20261129)
    whole = path.read_bytes()
    for _ in range(60):
        at = chance.choice([chance.randrange(300), chance.randrange(len(whole))])
        path.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1 :])
        for look in (lambda: sealed.look(store, what), lambda: read(store, what)):
            with pytest.raises(Conflict, match=r"a\.zst\.age was changed"):
                look()


@pytest.mark.parametrize("left", [0, 1, 200, 70_000, 300_000])
def test_one_that_was_cut_is_found(tmp_path: Path, left: int) -> None:
    store, what = kept(tmp_path)
    path = tmp_path / what.name
    path.write_bytes(path.read_bytes()[:left])
    for look in (lambda: sealed.look(store, what), lambda: read(store, what)):
        with pytest.raises(Conflict, match=f"holds {left} bytes where"):
            look()


def test_another_under_its_name_is_found_though_it_opens(tmp_path: Path) -> None:
    store, one = kept(tmp_path, b"x" * 1000, "one")
    _, two = kept(tmp_path, b"y" * 1000, "two")
    (tmp_path / "two").replace(tmp_path / "one")
    with pytest.raises(Conflict, match="one"):
        read(store, one)
    with pytest.raises(NotFound, match="two is missing"):
        sealed.look(store, two)


def test_another_key_is_told_from_damage(tmp_path: Path) -> None:
    store, what = kept(tmp_path)
    with pytest.raises(Conflict, match="does not open with this recovery key"):
        read(store, what, RecoveryKey.make())


def test_the_readers_own_error_goes_through(tmp_path: Path) -> None:
    store, what = kept(tmp_path)
    with pytest.raises(ZeroDivisionError), sealed.opened(store, what, KEY) as plain:
        plain.read(10)
        raise ZeroDivisionError


def test_a_key_is_read_as_people_type_it_and_refused_when_a_letter_is_wrong() -> None:
    assert RecoveryKey.read(KEY.line.lower()).line == KEY.line
    assert RecoveryKey.read(f"# AGE-SECRET-KEY-1 is below\n {KEY.line[:30]} {KEY.line[30:]}\n").line == KEY.line
    other = "Q" if KEY.line[-1] != "Q" else "P"
    for wrong in ("", "no key", KEY.line[:-1], KEY.line[:-1] + other):
        with pytest.raises(Invalid, match="no recovery key"):
            RecoveryKey.read(wrong)
