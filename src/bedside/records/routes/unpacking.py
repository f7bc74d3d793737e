"""gzip of what comes: unpacked within the bounds of a body."""

import zlib
from collections.abc import Callable, Iterator

from starlette.requests import Request

from bedside.foundation.http import header
from bedside.records.model.refusals import refuse
from bedside.records.routes.unsupported import Unsupported

_STEP = 1 << 20
_GZIP = 16 + zlib.MAX_WBITS


def unpacked(request: Request) -> Callable[[bytes], Iterator[bytes]]:
    """What makes of each chunk of the body as it was sent the bytes that were meant, a megabyte at a time.

    So that a small body that unpacks to gigabytes is refused when it has grown too large. Raises Unsupported.
    """
    coding = (header(request.scope, b"content-encoding") or "identity").strip().lower()
    if coding == "identity":
        return lambda chunk: iter((chunk,))
    if coding not in ("gzip", "x-gzip"):
        raise Unsupported("A body may be packed by gzip only.", where="Content-Encoding", remedy="Send it plain.")
    inflate = zlib.decompressobj(_GZIP)

    def parts(chunk: bytes) -> Iterator[bytes]:
        if not chunk and not inflate.eof:
            raise refuse("structure", "body", "The packed body ends too early.", status=400)
        rest = chunk
        while not inflate.eof:
            try:
                part = inflate.decompress(rest, _STEP)
            except zlib.error:
                raise refuse("structure", "body", "The body is no gzip.", status=400) from None
            yield part
            rest = inflate.unconsumed_tail
            if not rest and len(part) < _STEP:
                return

    return parts
