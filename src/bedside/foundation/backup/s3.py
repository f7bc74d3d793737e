"""Backups in an S3-like store (Amazon's or any other's), by botocore: whole objects, none written over, each checked.

Not written over where the store has conditional writes (`conditional`, tried at `bedside backup init`): a second
machine on the same line is refused instead of spoiling the first one's backups.
"""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session
from urllib3.exceptions import HTTPError

from bedside.foundation.backup import s3_words
from bedside.foundation.backup.s3_keys import Keys, keys
from bedside.foundation.errors import Conflict, NotFound, Unavailable

PART = 32 << 20
"""Bytes of a part of a large object, all alike (some stores insist): 10,000 of them make 320 GB."""
MOST_PARTS = 10_000
TRIES = 4
TIMEOUTS = (5.0, 20.0)
"""Seconds to be connected, and without a byte: a store that hangs is told within a minute and a half."""
FAILURES = (BotoCoreError, ClientError, HTTPError, OSError)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Bucket:
    """Where: the bucket, what every name begins with, the store's address ("" is Amazon's), its region."""

    name: str
    prefix: str
    endpoint: str = ""
    region: str = ""

    def __str__(self) -> str:
        """For people."""
        place = f"s3://{self.name}/{self.prefix}".rstrip("/")
        return f"{place} at {self.endpoint}" if self.endpoint else place


class S3:
    """See Store. keys_file: the access key's (else the environment has it); read anew after each refusal."""

    def __init__(self, bucket: Bucket, keys_file: str = "", *, conditional: bool = True) -> None:
        self.bucket, self.keys_file, self.conditional = bucket, keys_file, conditional
        self._client: Any = None
        self._making = threading.Lock()
        self._seen: dict[str, str] = {}
        """ETag of each object as this writer last read or wrote it."""

    @property
    def place(self) -> str:
        """See Store."""
        return str(self.bucket)

    def call(self, what: str, **words: Any) -> Any:
        """One request, tried again by botocore. Raises ClientError and its like."""
        with self._making:
            if self._client is None:
                self._client = _client(self.bucket, keys(Path(self.keys_file) if self.keys_file else None))
            client = self._client
        return getattr(client, what)(Bucket=self.bucket.name, **words)

    def key(self, name: str) -> str:
        """Of an object in the bucket."""
        return f"{self.bucket.prefix}/{name}" if self.bucket.prefix else name

    def told(self, error: Exception) -> Unavailable:
        """What went wrong, in words; a key that was refused is read anew for the next request."""
        if s3_words.refused(error):
            self._client = None
        return s3_words.told(error, self.place)

    @contextmanager
    def told_here(self) -> Iterator[None]:
        """Around requests: Unavailable in place of botocore's own."""
        try:
            yield
        except FAILURES as error:
            raise self.told(error) from error

    @contextmanager
    def writing(self, name: str, *, over: bool = False) -> Iterator[BinaryIO]:
        """See Store. Raises Conflict for an object that another wrote; Unavailable: away, refused, full."""
        out = _Out(self, name, self._guard(name, over=over))
        try:
            yield cast("BinaryIO", out)
            with self.told_here():
                self._seen[name] = out.end()
        finally:
            out.give_up()

    def _guard(self, name: str, *, over: bool) -> dict[str, str]:
        if over and name in self._seen:
            return {"IfMatch": self._seen[name]} if self.conditional else {}
        if self.conditional:
            return {"IfNoneMatch": "*"}
        if not over and self._etag(name):
            raise taken(name)
        return {}

    def _etag(self, name: str) -> str:
        """ "" where there is none."""
        try:
            return str(self.call("head_object", Key=self.key(name))["ETag"])
        except ClientError as error:
            if s3_words.status(error) == 404:
                return ""
            raise self.told(error) from error
        except FAILURES as error:
            raise self.told(error) from error

    def reading(self, name: str) -> BinaryIO:
        """See Store. Broken off, it goes on where it was."""
        found = _In(self, name)
        self._seen[name] = found.etag
        return cast("BinaryIO", found)

    def names(self, under: str) -> list[str]:
        """See Store."""
        found, more = list[str](), dict[str, str]()
        before = len(self.key(""))
        with self.told_here():
            while True:
                page = self.call("list_objects_v2", Prefix=self.key(under), **more)
                found += [each["Key"][before:] for each in page.get("Contents", ())]
                if not page.get("IsTruncated"):
                    return sorted(found)
                more = {"ContinuationToken": page["NextContinuationToken"]}

    def drop(self, name: str) -> None:
        """See Store."""
        self._seen.pop(name, None)
        with self.told_here():
            self.call("delete_object", Key=self.key(name))

    def sweep(self, under: str) -> None:
        """See Store: parts of uploads that were never completed cost money, and are seen in no list."""
        more: dict[str, str] = {}
        with self.told_here():
            while True:
                try:
                    page = self.call("list_multipart_uploads", Prefix=self.key(under), **more)
                except ClientError as error:
                    if s3_words.status(error) == 501:  # a store that clears them away by itself
                        return
                    raise
                for each in page.get("Uploads", ()):
                    self.call("abort_multipart_upload", Key=each["Key"], UploadId=each["UploadId"])
                if not page.get("IsTruncated"):
                    return
                more = {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def taken(name: str) -> Conflict:
    """Nothing is written over what another wrote."""
    return Conflict(
        f"{name} was written by another program: nothing was written over it.",
        remedy="Does a copy of this clinic run on a second machine? Stop it, or give it a line of its own: "
        "bedside backup init --new-line.",
    )


def _client(bucket: Bucket, known: Keys) -> Any:
    connect, read = TIMEOUTS
    config = Config(
        signature_version="s3v4",
        connect_timeout=connect,
        read_timeout=read,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        s3={"addressing_style": "path" if bucket.endpoint else "auto"},
        # Amazon's newer checksums are unknown to many others; each body goes with its MD5, which all know.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        tcp_keepalive=True,
    )
    return Session().create_client(
        "s3",
        region_name=bucket.region or "us-east-1",
        endpoint_url=bucket.endpoint or None,
        aws_access_key_id=known.id,
        aws_secret_access_key=known.secret,
        aws_session_token=known.token or None,
        config=config,
    )


class _Out:
    """An object while it is written: one request where it is small, parts where it is large."""

    def __init__(self, store: S3, name: str, guard: dict[str, str]) -> None:
        self.store, self.name, self.guard = store, name, guard
        self.key = store.key(name)
        self._buffer = bytearray()
        self._sums: list[bytes] = []
        """MD5 of each part; of the whole where it is one."""
        self._size = 0
        self._upload = ""
        self._parts: list[dict[str, Any]] = []

    def write(self, chunk: bytes) -> int:
        """Raises Unavailable."""
        self._buffer += chunk
        while len(self._buffer) >= PART:
            part = bytes(memoryview(self._buffer)[:PART])
            del self._buffer[:PART]
            with self.store.told_here():
                self._part(part)
        return len(chunk)

    def flush(self) -> None:
        """Nothing waits but a part that is not full."""

    def _sum(self, body: bytes) -> str:
        found = hashlib.md5(body, usedforsecurity=False).digest()
        self._sums.append(found)
        self._size += len(body)
        return base64.b64encode(found).decode()

    def _part(self, body: bytes) -> None:
        if len(self._parts) == MOST_PARTS:
            raise Unavailable(f"{self.name} is larger than an S3 store takes ({MOST_PARTS * PART >> 30} GB).")
        if not self._upload:
            self._upload = self.store.call("create_multipart_upload", Key=self.key)["UploadId"]
        number, md5 = len(self._parts) + 1, self._sum(body)
        words = {"Key": self.key, "UploadId": self._upload, "PartNumber": number, "ContentMD5": md5}
        etag = self.store.call("upload_part", Body=body, **words)["ETag"]
        self._parts.append({"PartNumber": number, "ETag": etag})

    def end(self) -> str:
        """It appears under its name, whole; its ETag. Raises Conflict, Unavailable and botocore's own."""
        rest = bytes(self._buffer)
        if self._upload:
            if rest:
                self._part(rest)
            listed = {"Parts": self._parts}
            etag = self._guarded(
                "complete_multipart_upload", Key=self.key, UploadId=self._upload, MultipartUpload=listed
            )
            self._upload = ""
        else:
            etag = self._guarded("put_object", Key=self.key, Body=rest, ContentMD5=self._sum(rest))
        if etag.strip('"') != self._expected() and not self._read_back():
            self.store.drop(self.name)
            raise Unavailable(
                f"{self.name} did not arrive at {self.store.place} as it was sent.",
                remedy="It was deleted there and is sent again. If this goes on, look at the network and the store.",
            )
        return etag

    def _guarded(self, what: str, **words: Any) -> str:
        for n in range(TRIES):
            try:
                return str(self.store.call(what, **words, **self.guard)["ETag"])
            except ClientError as error:
                code, status = s3_words.code(error), s3_words.status(error)
                # Of a request that was tried again the first may have succeeded, its answer lost.
                if status == 412 or code == "NoSuchUpload":
                    etag = self.store._etag(self.name)
                    if etag and (etag.strip('"') == self._expected() or self._read_back()):
                        return etag
                    if status == 412:
                        raise taken(self.name) from error
                if status != 409 or n == TRIES - 1:
                    raise
                time.sleep(0.2 * 2**n)
        raise AssertionError

    def _expected(self) -> str:
        """The ETag that most stores give: the MD5, or that of the parts' MD5s."""
        if not self._parts:
            return self._sums[0].hex()
        return f"{hashlib.md5(b''.join(self._sums), usedforsecurity=False).hexdigest()}-{len(self._sums)}"

    def _read_back(self) -> bool:
        """Where the ETag is something else (other stores, encryption by the store): every byte."""
        with _In(self.store, self.name) as kept:
            for each in self._sums:
                found, left = hashlib.md5(usedforsecurity=False), PART
                while left and (chunk := kept.read(min(left, 1 << 20))):
                    found.update(chunk)
                    left -= len(chunk)
                if found.digest() != each:
                    return False
            return kept.size == self._size

    def give_up(self) -> None:
        """What was sent of parts is deleted; after `end` nothing."""
        upload, self._upload = self._upload, ""
        if upload:
            with suppress(*FAILURES, Unavailable):  # the next writer sweeps
                self.store.call("abort_multipart_upload", Key=self.key, UploadId=upload)


class _In:
    """An object while it is read."""

    def __init__(self, store: S3, name: str) -> None:
        self.store, self.name, self._at, self.etag = store, name, 0, ""
        self.size = 0
        self._body: Any = None
        self._again(self._open)

    def _open(self) -> None:
        words = {"Range": f"bytes={self._at}-", "IfMatch": self.etag} if self._at else {}
        answer = self.store.call("get_object", Key=self.store.key(self.name), **words)
        self._body = answer["Body"]
        if not self._at:
            self.etag, self.size = str(answer["ETag"]), int(answer["ContentLength"])

    def _again(self, work: Callable[[], T]) -> T:
        """Opening has botocore's own tries; here are those of a stream that was cut."""
        for n in range(TRIES):
            try:
                return work()
            except ClientError as error:
                if s3_words.status(error) == 404 and s3_words.code(error) != "NoSuchBucket":
                    raise NotFound(f"{self.name} is missing from {self.store.place}.") from error
                raise self.store.told(error) from error
            except FAILURES as error:
                self.close()
                if n == TRIES - 1:
                    raise self.store.told(error) from error
                time.sleep(0.2 * 2**n)
        raise AssertionError

    def read(self, size: int = -1) -> bytes:
        """The next bytes, b"" at the end. Raises Unavailable."""
        if size < 0:
            parts = []
            while chunk := self.read(1 << 20):
                parts.append(chunk)
            return b"".join(parts)
        if self._at >= self.size or size == 0:
            return b""
        chunk = self._again(lambda: self._some(size))
        self._at += len(chunk)
        return chunk

    def _some(self, size: int) -> bytes:
        if self._body is None:  # it was cut
            self._open()
        chunk = bytes(self._body.read(min(size, self.size - self._at)))
        if not chunk:
            raise ConnectionError("cut short")
        return chunk

    def close(self) -> None:
        """The connection is given back."""
        if self._body is not None:
            with suppress(*FAILURES):
                self._body.close()
            self._body = None

    def __enter__(self) -> _In:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
