"""What a Binary holds: its bytes' size and hashes, and how the resource tells of them."""

import binascii
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from bedside.records.model.refusals import Refused, refuse

MOST = 100 * 1024 * 1024
"""Bytes of one content."""
PIECE = 1024 * 1024
"""Bytes of one row."""
INLINE = 64 * 1024
"""A Binary given as JSON keeps so many bytes of base64 in its row; more go beside it."""
SHA256 = "urn:x-bedside:sha-256"
SIZE = "urn:x-bedside:size"
OURS = frozenset({SHA256, SIZE})


class Content(NamedTuple):
    """A content that is whole. id: its number. sha256, sha1: digests."""

    id: int
    size: int
    sha256: bytes
    sha1: bytes


def told(binary: dict[str, Any], content: Content) -> dict[str, Any]:
    """The Binary without data, its content's hash and size in meta."""
    meta = dict(binary.get("meta") or {})
    kept = [one for one in meta.get("extension") or () if one.get("url") not in OURS]
    meta["extension"] = [
        *kept,
        {"url": SHA256, "valueString": content.sha256.hex()},
        {"url": SIZE, "valueDecimal": content.size},
    ]
    return {**{name: value for name, value in binary.items() if name != "data"}, "meta": meta}


def stated(binary: dict[str, Any]) -> bytes | None:
    """The SHA-256 that a Binary's meta states."""
    for one in (binary.get("meta") or {}).get("extension") or ():
        if one.get("url") == SHA256:
            try:
                return bytes.fromhex(one.get("valueString", ""))
            except (ValueError, TypeError):
                return None
    return None


class Decoder:
    """base64 as it comes, in pieces of any size, to bytes. Raises Refused for what is none."""

    def __init__(self, where: str = "Binary.data") -> None:
        self.where, self._rest, self._slash, self._padded = where, b"", b"", False

    def feed(self, part: bytes) -> bytes:
        """The bytes that are sure by now."""
        part = self._slash + part
        # A backslash may be the first half of an escaped slash: it waits for the next part.
        self._slash = b"\\" if part.endswith(b"\\") else b""
        part = part.removesuffix(self._slash).replace(b"\\/", b"/").translate(None, b" \t\r\n")
        part = self._rest + part
        whole = len(part) - len(part) % 4
        part, self._rest = part[:whole], part[whole:]
        if part and self._padded:
            raise self._refusal()
        self._padded = self._padded or part.endswith(b"=")
        return self._decoded(part)

    def end(self) -> None:
        """All has come."""
        if self._rest or self._slash:
            raise self._refusal()

    def _decoded(self, part: bytes) -> bytes:
        try:
            return binascii.a2b_base64(part, strict_mode=True) if part else b""
        except binascii.Error:
            raise self._refusal() from None

    def _refusal(self) -> Refused:
        return refuse("value", self.where, "This is not base64.")


class Lifted:
    """A JSON object as it comes, its top-level `data` taken out as bytes; the rest is small and kept.

    sink is given each part of data, decoded. Raises Refused when the rest grows beyond a resource's usual size.
    """

    MOST_REST = 1024 * 1024

    def __init__(self) -> None:
        self.rest = bytearray()
        self.lifted = False
        self._decoder = Decoder()
        self._depth, self._in_text, self._escaped = 0, False, False
        self._text = bytearray()
        self._key: bytes | None = None
        self._expects_key, self._inside, self._slash = False, False, False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Take a part of the body; yields parts of data."""
        at = 0
        while at < len(chunk):
            if self._inside:
                end = chunk.find(b'"', at)
                part = chunk[at:] if end < 0 else chunk[at:end]
                if decoded := self._decoder.feed(part):
                    yield decoded
                if end < 0:
                    return
                self._decoder.end()
                self._inside, at = False, end + 1
                self.rest += b'"'
                continue
            at = self._outside(chunk, at)

    def _outside(self, chunk: bytes, at: int) -> int:
        """Read on until data begins or the chunk ends; where it stopped."""
        while at < len(chunk):
            byte = chunk[at]
            at += 1
            self.rest.append(byte)
            if len(self.rest) > self.MOST_REST:
                raise refuse("too-long", "Binary", "A Binary without its data holds at most 1 MB.", status=413)
            if self._in_text:
                self._within_text(byte)
            elif byte == 0x22:  # "
                if self._depth == 1 and not self._expects_key and self._key == b"data":
                    if self.lifted:
                        raise refuse("structure", "Binary.data", "data is given twice.", status=400)
                    self._inside = self.lifted = True
                    self._key = None
                    return at
                self._in_text = True
                self._text.clear()
            else:
                self._structure(byte)
        return at

    def _within_text(self, byte: int) -> None:
        if self._escaped:
            self._escaped = False
        elif byte == 0x5C:  # backslash
            self._escaped = True
        elif byte == 0x22:
            self._in_text = False
            if self._depth == 1 and self._expects_key:
                self._key = bytes(self._text)
            return
        if self._depth == 1 and len(self._text) < 32:
            self._text.append(byte)

    def _structure(self, byte: int) -> None:
        if byte in b"{[":
            self._depth += 1
            self._expects_key = self._depth == 1 and byte == 0x7B
        elif byte in b"}]":
            self._depth -= 1
        elif byte == 0x2C and self._depth == 1:  # ,
            self._expects_key = True
        elif byte == 0x3A and self._depth == 1:  # :
            self._expects_key = False


def base64_size(size: int) -> int:
    """Characters that so many bytes take."""
    return (size + 2) // 3 * 4


def base64_parts() -> tuple[Callable[[bytes], bytes], Callable[[], bytes]]:
    """Two functions: from parts of bytes to parts of base64, and what is left at the end."""
    rest = b""

    def part(chunk: bytes) -> bytes:
        nonlocal rest
        chunk = rest + chunk
        whole = len(chunk) - len(chunk) % 3
        rest = chunk[whole:]
        return binascii.b2a_base64(chunk[:whole], newline=False)

    def end() -> bytes:
        return binascii.b2a_base64(rest, newline=False) if rest else b""

    return part, end
