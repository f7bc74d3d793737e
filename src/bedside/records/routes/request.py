"""A FHIR request as it came: its body within limits, its address, what it prefers."""

from functools import lru_cache, partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request

from bedside.fhir import structure
from bedside.fhir.issues import Issue
from bedside.foundation.aside import aside
from bedside.foundation.errors import BedsideError, TooLarge
from bedside.foundation.http import header
from bedside.foundation.settings import Settings
from bedside.records.model.refusals import Refused, refuse
from bedside.records.routes import unpacking
from bedside.records.routes.unsupported import Unsupported
from bedside.records.service.searching import pairs_of

MOST_BYTES = 32 * 1024 * 1024
"""Of a body: a transaction of 5,000 entries is some 6 MB."""
MOST_PARAMETERS = 40
"""Of a search."""
_LONG = 128 * 1024
"""Bytes from which a body is checked beside the event loop: some ten milliseconds of work."""
MOST_FORM = 1024 * 1024
JSON = frozenset({"application/fhir+json", "application/json", "text/json"})
_FORMATS = JSON | {"json"}


class NotAcceptable(BedsideError):
    """The caller wants another format."""

    status, code = 406, "not-supported"


class Prefer(msgspec.Struct, frozen=True):
    """The Prefer header. returns: representation, minimal or OperationOutcome; None: not said.
    background: respond-async."""

    returns: str | None = None
    strict: bool = True
    background: bool = False


_AS_USUAL = Prefer()


class Address(msgspec.Struct, frozen=True):
    """base: `https://host/fhir/R4`. parts: the path below it. pairs: the parameters, decoded, in order."""

    base: str
    parts: list[str]
    pairs: list[tuple[str, str]]


def address(request: Request) -> Address:
    """Where the request goes. Raises Refused for a query that is no UTF-8 text."""
    scope = request.scope
    path: str = scope["path"].removeprefix("/fhir/R4").strip("/")
    try:
        query = scope["query_string"].decode("ascii")
        pairs = _few(pairs_of(query)) if query else []
    except (UnicodeDecodeError, ValueError):
        raise refuse("value", "query", "The query is not percent-encoded UTF-8.", status=400) from None
    return Address(f"{_origin(request)}/fhir/R4", path.split("/") if path else [], pairs)


def _few(pairs: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The parameters, if they are not too many: each is a condition, and the planner's time grows faster than they."""
    if len(pairs) > MOST_PARAMETERS:
        raise refuse("too-costly", "query", f"More than {MOST_PARAMETERS} parameters.", status=400)
    return pairs


def _origin(request: Request) -> str:
    """The public origin; the address that was used where it is this machine itself."""
    settings: Settings | None = getattr(request.app.state, "settings", None)
    scope = request.scope
    host = header(scope, b"host")
    used = f"{scope['scheme']}://{host}" if host else str(request.base_url).rstrip("/")
    return used if settings is None else _told(used, settings.public_url)


@lru_cache(maxsize=256)
def _told(used: str, public: str) -> str:
    try:
        local = urlsplit(used).hostname in ("localhost", "127.0.0.1", "::1")
    except ValueError:
        local = False
    return used if local else public.rstrip("/")


def prefer(request: Request) -> Prefer:
    """What the Prefer header says; what it says of other things is not ours to judge (RFC 7240)."""
    said = [value.decode("latin-1") for name, value in request.scope["headers"] if name == b"prefer"]
    return _preferred(",".join(said)) if said else _AS_USUAL


@lru_cache(maxsize=256)
def _preferred(said: str) -> Prefer:
    returns, strict, background = None, True, False
    for part in said.replace(";", ",").split(","):
        name, _, value = part.strip().partition("=")
        value = value.strip().strip('"')
        if name.lower() == "return" and value in ("minimal", "representation", "OperationOutcome"):
            returns = value
        if name.lower() == "handling":
            strict = value != "lenient"
        if name.lower() == "respond-async":
            background = True
    return Prefer(returns, strict, background)


def check_format(request: Request, pairs: list[tuple[str, str]]) -> None:
    """Raise NotAcceptable unless JSON will do."""
    for name, value in pairs:
        if name == "_format" and value.replace(" ", "+").partition(";")[0] not in _FORMATS:
            raise NotAcceptable("Only JSON is spoken here.", where="_format", remedy="Ask for application/fhir+json.")
    accept = header(request.scope, b"accept")
    if accept and not _takes_json(accept) and not any(name == "_format" for name, _ in pairs):
        raise NotAcceptable("Only JSON is spoken here.", where="Accept", remedy="Ask for application/fhir+json.")


@lru_cache(maxsize=256)
def _takes_json(accept: str) -> bool:
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return bool(kinds & (JSON | {"*/*", "application/*", "text/html", ""}))


def kind(request: Request) -> str:
    """The media type that the body says it is."""
    return (header(request.scope, b"content-type") or "").partition(";")[0].strip().lower()


def check_type(request: Request) -> None:
    """Raise Unsupported unless the body says that it is JSON in UTF-8."""
    if kind(request) not in JSON:
        raise Unsupported("The body must be JSON.", where="Content-Type", remedy="Send application/fhir+json.")
    charset = (header(request.scope, b"content-type") or "").lower().partition("charset=")[2].strip(' "')
    if charset and charset not in ("utf-8", "utf8"):
        raise Unsupported("FHIR JSON is UTF-8.", where="Content-Type")


async def raw_body(request: Request, most: int = MOST_BYTES) -> bytes:
    """The body. Raises TooLarge as soon as it is clear, without reading on."""
    said = header(request.scope, b"content-length") or ""
    if said.isdecimal() and int(said) > most:
        raise TooLarge(f"A body holds at most {most // 1024 // 1024} MB.", remedy="Send it in parts.")
    unpacked = unpacking.unpacked(request)
    chunks, size = [], 0
    async for chunk in request.stream():
        for part in unpacked(chunk):
            size += len(part)
            if size > most:
                raise TooLarge(f"A body holds at most {most // 1024 // 1024} MB.", remedy="Send it in parts.")
            chunks.append(part)
    return b"".join(chunks)


async def resource(request: Request) -> dict[str, Any]:
    """A resource that is well made. Raises Unsupported, TooLarge, Refused with every fault."""
    made, issues = await read(request)
    if issues:
        raise Refused(issues)
    return made


async def read(request: Request) -> tuple[dict[str, Any], list[Issue]]:
    """The object in the body, and what is wrong with it. Raises Refused when it is no JSON object at all."""
    check_type(request)
    return await accepted(await raw_body(request))


async def accepted(raw: bytes) -> tuple[dict[str, Any], list[Issue]]:
    """The same of a body that is there already; a long one is checked beside the event loop."""
    return _accepted(raw) if len(raw) < _LONG else await aside(partial(_accepted, raw))


def _accepted(raw: bytes) -> tuple[dict[str, Any], list[Issue]]:
    """As `read`, from the bytes."""
    try:
        return structure.accept(raw)
    except structure.Malformed as error:
        raise Refused(error.issues, status=400) from None


async def form_pairs(request: Request) -> list[tuple[str, str]]:
    """The parameters of a POST _search. Raises Unsupported, TooLarge, Refused."""
    raw = await raw_body(request, MOST_FORM)
    if not raw:
        return []
    if kind(request) != "application/x-www-form-urlencoded":
        raise Unsupported("A search is posted as a form.", remedy="Send application/x-www-form-urlencoded.")
    try:
        return _few(pairs_of(raw.decode()))
    except (UnicodeDecodeError, ValueError):
        raise refuse("value", "body", "The form is not UTF-8.", status=400) from None
