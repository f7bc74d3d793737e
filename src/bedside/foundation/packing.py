"""gzip for what goes out, for who takes it."""

import gzip

from starlette.responses import Response
from starlette.types import Scope

from bedside.foundation.http import header

WORTH = 1024
"""Bytes from which packing pays."""
LEVEL = 4


def pack(scope: Scope, response: Response) -> None:
    """Pack the body in place, where the caller takes gzip (RFC 9110, 12.5.3) and it is worth it."""
    if len(response.body) < WORTH:
        return
    response.headers.add_vary_header("Accept-Encoding")
    if not _takes_gzip(header(scope, b"accept-encoding") or ""):
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
