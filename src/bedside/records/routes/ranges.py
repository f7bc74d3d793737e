"""A long answer as a stream, whole or the one range that was asked for (RFC 9110 §14)."""

import re
from collections.abc import AsyncIterator, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

_RANGE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII)

Reader = Callable[[int, int], AsyncIterator[bytes]]


def stream(request: Request, size: int, headers: dict[str, str], read: Reader) -> Response:
    """The answer. read: from a byte, so many. Several ranges at once are answered with the whole, as is allowed."""
    headers = {**headers, "accept-ranges": "bytes"}
    first, last, status = 0, size - 1, 200
    asked = _RANGE.fullmatch(request.headers.get("range", "").strip())
    condition = request.headers.get("if-range")
    if asked and any(asked.groups()) and condition in (None, headers.get("etag")):
        begin, end = asked.groups()
        if begin:
            first, last = int(begin), min(int(end), size - 1) if end else size - 1
        else:
            first = max(0, size - int(end))
        if first >= size or last < first:
            return Response(None, 416, {"content-range": f"bytes */{size}"})
        status = 206
        headers["content-range"] = f"bytes {first}-{last}/{size}"
    length = last - first + 1
    headers["content-length"] = str(length)
    if request.method == "HEAD":
        return Response(None, status, headers)
    return StreamingResponse(read(first, length), status, headers)
