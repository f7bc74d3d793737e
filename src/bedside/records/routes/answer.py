"""FHIR answers: resources as stored, errors as OperationOutcome."""

from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

import msgspec
from starlette.responses import Response

from bedside.fhir.issues import Issue, outcome
from bedside.foundation.errors import BedsideError, TooMany, Unavailable
from bedside.foundation.http import outcome as outcome_of
from bedside.records.model.json import encode
from bedside.records.model.refusals import Refused
from bedside.records.model.stored import Stored

MEDIA = "application/fhir+json; charset=utf-8"


def answer(body: bytes, status: int = 200, headers: dict[str, str] | None = None, *, pretty: bool = False) -> Response:
    """A body in FHIR JSON."""
    if pretty and body:
        body = msgspec.json.format(body, indent=2)
    return Response(body, status, headers, MEDIA if body else None)


def version_headers(one: Stored) -> dict[str, str]:
    """ETag and Last-Modified."""
    return {"etag": f'W/"{one.version}"', "last-modified": _http_date(one.updated.replace(microsecond=0))}


@lru_cache(maxsize=1024)
def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def written(one: Stored, base: str, returns: str | None, *, created: bool, pretty: bool = False) -> Response:
    """The answer to a write, as Prefer asks: the resource where nothing was said."""
    headers = version_headers(one)
    if created:
        headers["location"] = f"{base}/{one.reference}/_history/{one.version}"
    body = one.body
    if returns == "minimal":
        body = b""
    elif returns == "OperationOutcome":
        body = encode(outcome(one.issues or [Issue("information", "informational", "", "It was kept.")]))
    if one.issues:  # whatever comes back, a client can show this
        headers["warning"] = ", ".join(f'299 - "{issue.expression}: {issue.diagnostics}"' for issue in one.issues[:5])
    return answer(body, 201 if created else 200, headers, pretty=pretty)


def refusal(error: BedsideError, *, pretty: bool = False) -> Response:
    """An error as an OperationOutcome naming the element."""
    found = outcome(error.issues) if isinstance(error, Refused) else outcome_of(error)
    response = answer(encode(found), error.status, pretty=pretty)
    if isinstance(error, TooMany | Unavailable):
        response.headers["retry-after"] = str(getattr(error, "retry_after", 2))
    if error.status == 401:
        response.headers["www-authenticate"] = 'Bearer realm="bedside"'
    return response
