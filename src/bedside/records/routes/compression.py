"""gzip, both ways: what comes is unpacked within the bounds of a body, what goes is packed for who asks for it."""

import gzip
import zlib
from collections.abc import Callable, Iterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bedside.foundation.http import header
from bedside.records.model.refusals import refuse
from bedside.records.routes.unsupported import Unsupported

WORTH = 1024
"""Bytes from which packing pays."""
LEVEL = 4
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


def compress(request: Request, response: Response) -> None:
    """Pack the body in place, where the caller takes gzip and it is worth it."""
    if isinstance(response, StreamingResponse) or len(response.body) < WORTH:
        return
    response.headers.add_vary_header("Accept-Encoding")
    if not _takes_gzip(header(request.scope, b"accept-encoding") or ""):
        return
    response.body = gzip.compress(bytes(response.body), LEVEL, mtime=0)
    response.headers["content-encoding"] = "gzip"
    response.headers["content-length"] = str(len(response.body))


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, weight = part.strip().partition(";")
        if coding.strip() in ("gzip", "*"):
            return weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
