"""An S3-like store, a real one: objects whole or not at all, nothing written over, each fault in words."""

from __future__ import annotations

import io
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.foundation.backup.s3_server import BUCKET, Fault, Server, client, server

from bedside.foundation.backup import s3
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.places import Place
from bedside.foundation.backup.s3 import S3
from bedside.foundation.backup.sealed import look, opened, seal
from bedside.foundation.errors import Conflict, Invalid, NotFound, Unavailable

pytestmark = pytest.mark.engine

PART = 5 << 20


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("moto") / "log") as made:
        yield made


@pytest.fixture
def place(there: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setattr(s3, "PART", PART)
    keys = there.keys_file(tmp_path / "keys")
    return Place.typed(f"s3://{BUCKET}/{secrets.token_hex(4)}", there.endpoint, keys_file=keys)


def s3_of(place: Place, *, conditional: bool = True) -> S3:
    store = place.store(conditional=conditional)
    assert isinstance(store, S3)
    return store


def write(store: S3, name: str, said: bytes, *, over: bool = False) -> None:
    with store.writing(name, over=over) as out:
        for at in range(0, len(said), 1 << 20):
            out.write(said[at : at + (1 << 20)])


def read(store: S3, name: str) -> bytes:
    with store.reading(name) as kept:
        return kept.read()


SIZES = (0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 77)


def test_objects_of_every_size_come_back_and_are_listed_and_dropped(place: Place) -> None:
    store = s3_of(place)
    for size in SIZES:
        said = secrets.token_bytes(size)
        write(store, f"L/{size}", said)
        assert read(s3_of(place), f"L/{size}") == said
    assert store.names("L") == sorted(f"L/{size}" for size in SIZES)
    assert store.names("M") == []
    for size in SIZES:
        store.drop(f"L/{size}")
    assert store.names("") == []
    with pytest.raises(NotFound, match="is missing from s3://clinic/"):
        store.reading("L/1")


def test_nothing_is_written_over_but_what_this_writer_saw(place: Place) -> None:
    assert place.probe()
    mine, other = s3_of(place), s3_of(place)
    assert mine.names("") == []  # the probe leaves nothing
    for size in (10, PART + 10):
        name = f"L/{size}"
        write(mine, name, bytes(size))
        with pytest.raises(Conflict, match="was written by another program"):
            write(other, name, secrets.token_bytes(size))
        write(mine, name, b"again", over=True)
        read(other, name)
        write(other, name, b"by the other", over=True)
        with pytest.raises(Conflict, match="was written by another program"):
            write(mine, name, b"by the first", over=True)
        assert read(mine, name) == b"by the other"


def test_a_store_that_cannot_refuse_is_looked_at_before(place: Place) -> None:
    store = s3_of(place, conditional=False)
    write(store, "x", b"one")
    with pytest.raises(Conflict, match="was written by another program"):
        write(s3_of(place, conditional=False), "x", b"two")
    write(store, "x", b"three", over=True)
    assert read(store, "x") == b"three"


def once_in(n: int, what: str, when: Callable[[str, str], bool] = lambda *_: True) -> Fault:
    many = [0]

    def fault(method: str, path: str) -> str:
        if not when(method, path):
            return ""
        many[0] += 1
        return what if many[0] % n == 1 else ""

    return fault


@pytest.mark.parametrize("what", ["503", "cut", "lost"])
def test_a_store_that_stumbles_is_asked_again(there: Server, place: Place, what: str) -> None:
    """`lost`: it did what it was asked, and its answer got lost, so the second asking meets the first one's work."""
    store, said = s3_of(place), secrets.token_bytes(2 * PART + 5)
    with there.proxy.bad(once_in(2, what)):
        write(store, "L/large", said)
        write(store, "L/small", b"small")
        write(store, "L/small", b"smaller", over=True)
    assert read(store, "L/large") == said
    assert read(store, "L/small") == b"smaller"


def test_a_stream_that_is_cut_goes_on_where_it_was(there: Server, place: Place) -> None:
    store, said = s3_of(place), secrets.token_bytes(3 << 20)
    write(store, "x", said)
    with there.proxy.bad(once_in(2, "half", lambda method, _: method == "GET")):
        assert read(store, "x") == said


def test_what_did_not_arrive_as_sent_is_read_back_and_found(there: Server, place: Place) -> None:
    store = s3_of(place)
    with there.proxy.bad(lambda method, path: "spoil" if method in {"PUT", "POST"} and "partN" not in path else ""):
        write(store, "x", b"whole, with another ETag")  # as of stores that encrypt
        write(store, "y", bytes(PART + 1))
    direct = client("s3", there.direct, there.key)
    real = store.call

    def spoiled(what: str, **words: object) -> object:
        answer = real(what, **words)
        if what == "put_object":
            answer["ETag"] = direct.put_object(Bucket=BUCKET, Key=str(words["Key"]), Body=b"other bytes")["ETag"]
        return answer

    store.call = spoiled  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="did not arrive"):
        write(store, "z", b"these bytes")
    assert s3_of(place).names("") == ["x", "y"]


def test_an_upload_that_was_broken_off_leaves_nothing(there: Server, place: Place) -> None:
    direct = client("s3", there.direct, there.key)

    def under_way() -> list[str]:
        found = direct.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
        return [each["Key"] for each in found if each["Key"].startswith(place.to.rpartition("/")[2])]

    store = s3_of(place)
    with pytest.raises(ZeroDivisionError), store.writing("L/x") as out:
        out.write(bytes(2 * PART))
        assert len(under_way()) == 1
        raise ZeroDivisionError
    assert under_way() == []
    killed = store.writing("L/y")
    killed.__enter__().write(bytes(2 * PART))
    assert len(under_way()) == 1
    s3_of(place).sweep("L")
    assert under_way() == []
    assert store.names("") == []


@pytest.mark.parametrize(
    ("what", "told", "remedy"),
    [
        ("503", "does not serve us now (SlowDown)", "goes on by itself"),
        ("cut", "cannot be reached", "Look at the network"),
        ("hang", "cannot be reached (ReadTimeoutError)", "Look at the network"),
    ],
)
def test_a_store_that_stays_away_is_told_in_words(
    there: Server, place: Place, monkeypatch: pytest.MonkeyPatch, what: str, told: str, remedy: str
) -> None:
    monkeypatch.setattr(s3, "TRIES", 2)
    key = RecoveryKey.make()
    sealed = seal(s3_of(place), "kept", io.BytesIO(Path(__file__).read_bytes()), key.recipient)
    if what == "hang":  # what answers is given its time, also on a busy machine
        monkeypatch.setattr(s3, "TIMEOUTS", (5.0, 0.5))
    store = s3_of(place)
    with there.proxy.bad(lambda *_: what):
        for work in (
            lambda: write(store, "x", b"x"),
            lambda: read(store, "kept"),
            lambda: store.names(""),
            lambda: store.drop("x"),
            lambda: seal(store, "z", io.BytesIO(Path(__file__).read_bytes()), key.recipient),
            lambda: look(store, sealed),
        ):
            with pytest.raises(Unavailable) as error:
                work()
            assert told in error.value.message
            assert remedy in (error.value.remedy or "")
    monkeypatch.setattr(s3, "TIMEOUTS", (5.0, 20.0))
    store = s3_of(place)
    half = there.proxy.bad(lambda method, _: "half" if method == "GET" else "")
    with half, pytest.raises(Unavailable), opened(store, sealed, key) as plain:
        plain.read(10)
    with opened(store, sealed, key) as plain:
        assert plain.read(10) == Path(__file__).read_bytes()[:10]


def test_a_key_that_is_refused_and_one_that_is_put_right(there: Server, place: Place) -> None:
    file = Path(place.keys_file)
    there.keys_file(file, secret="wrong")
    store = s3_of(place)
    with pytest.raises(Unavailable, match="refuses the access key") as error:
        write(store, "x", b"x")
    assert "taken up by itself" in (error.value.remedy or "")
    there.keys_file(file)
    write(store, "x", b"x")
    nowhere = Place.typed("s3://nowhere/x", there.endpoint, keys_file=file).store()
    with pytest.raises(Unavailable, match="no such bucket"):
        nowhere.names("")


def test_an_address_holds_no_key_and_a_key_file_is_private(place: Place, tmp_path: Path) -> None:
    for wrong in ("s3://", "s3://key:secret@bucket/x", "ftp://bucket/x", "s3://bucket/x?key=1"):
        with pytest.raises(Invalid):
            Place.typed(wrong)
    with pytest.raises(Invalid):
        Place.typed("s3://bucket/x", "https://key:secret@store")
    file = Path(place.keys_file)
    file.chmod(0o644)
    with pytest.raises(Unavailable, match="can be read by others"):
        s3_of(place).names("")
    file.chmod(0o600)
    file.write_text("secret-that-nobody-sees")
    with pytest.raises(Unavailable, match="holds no access key") as error:
        s3_of(place).names("")
    assert "nobody-sees" not in f"{error.value.message}{error.value.remedy}{error.value.__cause__}"
    assert Place.typed("folder").to == str(Path("folder").absolute())


def test_keys_of_the_environment(there: Server, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = Place(place.to, place.endpoint)
    for name in ("BEDSIDE_S3_KEY_ID", "BEDSIDE_S3_SECRET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unavailable, match="is not known"):
        s3_of(bare).names("")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", there.key[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", there.key[1])
    assert s3_of(bare).names("") == []
    monkeypatch.setenv("BEDSIDE_S3_KEY_ID", there.key[0])
    monkeypatch.setenv("BEDSIDE_S3_SECRET", "wrong")
    with pytest.raises(Unavailable, match="refuses the access key"):
        s3_of(bare).names("")
