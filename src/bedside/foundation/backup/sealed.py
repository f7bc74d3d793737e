"""One object of a backup: compressed by zstd, encrypted by age, known by its hash. `age -d | zstd -d` opens it.

age authenticates each 64 KiB in order and the end, so nothing changed, cut or reordered within is ever read; that the
object is the one that was meant is said by its hash, which stands in the signed manifest.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import msgspec
import pyrage
import zstandard

from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.store import Store, told
from bedside.foundation.errors import BedsideError, Conflict, Unavailable

LEVEL = 3
CHUNK = 1 << 17
SUFFIX = ".zst.age"

Tell = Callable[[int], None]


class Readable(Protocol):
    """What is sealed."""

    def read(self, size: int = -1, /) -> bytes: ...


class Sealed(msgspec.Struct, frozen=True):
    """Where an object is and what it must be. size: bytes kept; plain: bytes before compression."""

    name: str
    size: int
    sha256: str
    plain: int


class _Counted:
    """Counts what is read."""

    def __init__(self, source: Readable, tell: Tell) -> None:
        self._source, self._tell, self.many = source, tell, 0

    def read(self, size: int = -1) -> bytes:
        chunk = self._source.read(size)
        self.many += len(chunk)
        self._tell(len(chunk))
        return chunk


class _Hashed:
    """Hashes what is written, and keeps the error by which writing failed: age's own words would hide it."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self.hash, self.many = out, hashlib.sha256(), 0
        self.failed: OSError | BedsideError | None = None

    def write(self, chunk: bytes) -> int:
        try:
            self._out.write(chunk)
        except (OSError, BedsideError) as error:
            self.failed = error
            raise
        self.hash.update(chunk)
        self.many += len(chunk)
        return len(chunk)

    def flush(self) -> None:
        """Done by the store."""


def seal(store: Store, name: str, source: Readable, recipient: str, tell: Tell = lambda _: None) -> Sealed:
    """Read source to its end into the object `name`. Raises Unavailable (full, away)."""
    counted = _Counted(source, tell)
    reading: Any = counted  # zstandard asks for no more of it than read
    with store.writing(name) as out:
        hashed = _Hashed(out)
        packed = zstandard.ZstdCompressor(level=LEVEL, write_checksum=False).stream_reader(reading)
        try:
            pyrage.encrypt_io(packed, hashed, [pyrage.x25519.Recipient.from_str(recipient)])
        except (OSError, BedsideError, pyrage.EncryptError) as error:
            # age tells a full disk in its own words; the source's own error comes through as it is.
            raise hashed.failed or Unavailable(f"{name} could not be packed.", remedy=str(error)) from error
    return Sealed(name, hashed.many, hashed.hash.hexdigest(), counted.many)


def damaged(name: str, how: str) -> Conflict:
    """The refusal of an object that is not what the manifest says."""
    return Conflict(
        f"The backup is damaged: {name} {how}.",
        remedy="Nothing of it was used. Take another set (bedside backup list), or another copy of the folder.",
    )


def look(store: Store, what: Sealed, tell: Tell = lambda _: None) -> None:
    """Whether the object is there and is the one, without a key. Raises NotFound, Conflict."""
    with store.reading(what.name) as kept:
        found, many = hashlib.sha256(), 0
        try:
            while chunk := kept.read(1 << 20):
                found.update(chunk)
                many += len(chunk)
                tell(len(chunk))
        except OSError as error:
            raise told(error, store.place) from error
    _same(what, many, found.hexdigest())


def _same(what: Sealed, many: int, found: str) -> None:
    if many != what.size:
        raise damaged(what.name, f"holds {many} bytes where {what.size} were written")
    if found != what.sha256:
        raise damaged(what.name, "was changed, or is another one under this name")


class _Kept:
    """The object while it is read: hashed beside."""

    def __init__(self, source: BinaryIO, tell: Tell) -> None:
        self._source, self._tell = source, tell
        self.hash, self.many = hashlib.sha256(), 0
        self.failed: BedsideError | None = None
        """The store's own words: age would tell its own."""

    def read(self, size: int = -1) -> bytes:
        try:
            chunk = self._source.read(size)
        except BedsideError as error:
            self.failed = error
            raise
        self.hash.update(chunk)
        self.many += len(chunk)
        self._tell(len(chunk))
        return chunk

    def drain(self) -> None:
        """To the end, for the hash."""
        while self.read(1 << 20):
            pass

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None:
        self._source.close()


class _Into:
    """The end of a pipe; a reader that went early is no error of the object."""

    def __init__(self, number: int) -> None:
        self._number, self.gone = number, False

    def write(self, chunk: bytes) -> int:
        view = memoryview(chunk)
        while view and not self.gone:
            try:
                view = view[os.write(self._number, view) :]
            except BrokenPipeError:
                self.gone = True
        return len(chunk)

    def flush(self) -> None:
        """Nothing waits."""


@contextmanager
def opened(store: Store, what: Sealed, key: RecoveryKey, tell: Tell = lambda _: None) -> Iterator[Readable]:
    """The plain bytes, to be read to their end. tell: bytes of the object read.

    Raises Conflict, at the latest when the block ends, for an object that is not what was written, or not for this
    key: whatever was made of the bytes must then be thrown away.
    """
    come, go = os.pipe()
    failed: list[BaseException] = []
    kept = _Kept(store.reading(what.name), tell)

    def work() -> None:
        try:
            pyrage.decrypt_io(kept, _Into(go), [key.identity()])
        except BaseException as error:  # told where the block ends
            failed.append(error)
        finally:
            os.close(go)

    thread = threading.Thread(target=work, name="age", daemon=True)
    thread.start()
    broke: Exception | None = None
    try:
        with os.fdopen(come, "rb", CHUNK) as packed:
            plain: Any = zstandard.ZstdDecompressor().stream_reader(packed)
            yield plain
            while plain.read(CHUNK):
                pass
    except Exception as error:  # cut short, or the reader's own: the object's fault goes before
        broke = error
    finally:
        thread.join()
    with kept:
        if kept.failed is not None:
            raise kept.failed
        if not failed or isinstance(failed[0], OSError | pyrage.DecryptError):
            try:
                kept.drain()
            except OSError as error:
                raise told(error, store.place) from error
            _same(what, kept.many, kept.hash.hexdigest())
    if failed and isinstance(failed[0], pyrage.DecryptError):
        raise Conflict(
            f"{what.name} does not open with this recovery key.",
            remedy="Take the key that `bedside backup init` printed for this folder.",
        ) from failed[0]
    if broke is not None:
        raise broke
    if failed:
        raise damaged(what.name, "cannot be opened") from failed[0]
