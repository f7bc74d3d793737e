"""Bundles as bytes: the resources in them are answered as they are stored, not decoded and written again."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import urlencode

from bedside.fhir.issues import outcome
from bedside.records.model.json import encode
from bedside.records.model.stored import Stored
from bedside.records.service.reading import Version
from bedside.records.service.searching import Found
from bedside.records.service.subsetting import subset

Pairs = Sequence[tuple[str, str]]


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _bundle(
    type_: str, now: datetime, total: int | None, links: Iterable[tuple[str, str]], entries: list[bytes]
) -> bytes:
    head = b'{"resourceType":"Bundle","meta":{"lastUpdated":"%s"},"type":"%s"' % (
        instant(now).encode(),
        type_.encode(),
    )
    if total is not None:
        head += b',"total":%d' % total
    head += b',"link":' + encode([{"relation": relation, "url": url} for relation, url in links])
    if entries:  # an empty array is no FHIR
        head += b',"entry":[' + b",".join(entries) + b"]"
    return head + b"}"


def searchset(found: Found, *, base: str, path: str, pairs: Pairs, now: datetime) -> bytes:
    """The answer to a search. base: `https://host/fhir/R4`; path: `/Observation`; pairs: the parameters as sent."""
    first, here = _url(base, path, pairs), found.query.cursor
    links = [("self", first if here is None else _page(first, here))]
    if here is not None:
        links.append(("first", first))
    if found.next is not None:
        links.append(("next", _page(first, found.next)))
    entries = _entries([subset(one, found.query) for one in found.matches], base, b"match")
    entries += _entries(found.included, base, b"include")
    if found.query.ignored:
        report = outcome(found.query.ignored)
        entries.append(b'{"resource":%s,"search":{"mode":"outcome"}}' % encode(report))
    return _bundle("searchset", now, found.total, links, entries)


def _url(base: str, path: str, pairs: Pairs) -> str:
    """The first page's address."""
    kept = [(name, value) for name, value in pairs if name != "_cursor"]
    return f"{base}{path}?{urlencode(kept)}" if kept else f"{base}{path}"


def _page(first: str, cursor: str) -> str:
    return f"{first}{'&' if '?' in first else '?'}{urlencode({'_cursor': cursor})}"


def _entries(all_: Iterable[Stored], base: str, mode: bytes) -> list[bytes]:
    start, end = b'{"fullUrl":%s/' % encode(base)[:-1], b',"search":{"mode":"%s"}}' % mode
    # Neither a type nor an id has a character that JSON escapes.
    return [b'%s%s/%s","resource":%s%s' % (start, one.type.encode(), one.id.encode(), one.body, end) for one in all_]


def history(
    versions: Sequence[Version],
    *,
    base: str,
    path: str,
    pairs: Pairs,
    now: datetime,
    next_: str | None,
    total: int | None,
) -> bytes:
    """The answer to a history: newest first."""
    first, here = _url(base, path, pairs), dict(pairs).get("_cursor")
    links = [("self", first if here is None else _page(first, here))]
    if next_ is not None:
        links.append(("next", _page(first, next_)))
    return _bundle("history", now, total, links, [_version(one, base) for one in versions])


def _version(one: Version, base: str) -> bytes:
    kept = one.stored
    status = "204 No Content" if not kept.body else "201 Created" if kept.version == 1 else "200 OK"
    url = kept.type if one.method == "POST" else kept.reference
    rest = {
        "request": {"method": one.method, "url": url},
        "response": {
            "status": status,
            "etag": f'W/"{kept.version}"',
            "lastModified": instant(kept.updated),
            "location": f"{base}/{kept.reference}/_history/{kept.version}",
        },
    }
    resource = b'"resource":%s,' % kept.body if kept.body else b""
    return b'{"fullUrl":%s,%s%s' % (encode(f"{base}/{kept.reference}"), resource, encode(rest)[1:])
