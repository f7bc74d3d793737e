"""A batch or transaction taken apart (hl7.org/fhir/R4/http.html#transaction)."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec

from bedside.fhir import references
from bedside.fhir.definitions import resource_types
from bedside.records.model.refusals import refuse

METHODS = ("DELETE", "POST", "PUT", "PATCH", "GET", "HEAD")
"""In the order in which a transaction carries them out."""
MOST = 10_000
"""Entries of one bundle."""

_VALUES = frozenset({"url", "uri", "valueUri", "valueUrl", "valueCanonical", "valueOid", "valueUuid"})
_PATCHES = ("Parameters", "Binary")  # no set: what is compared may be an object
_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"')


class Entry(msgspec.Struct):
    """One entry. type: "" of a GET over all types. id: of an instance named by the URL. criteria: after `?`. path: the
    URL's, taken apart. where: its place, for errors."""

    n: int
    method: str
    type: str
    id: str | None
    criteria: str | None
    url: str
    resource: dict[str, Any] | None
    full_url: str | None
    if_match: int | None
    if_none_exist: str | None
    if_none_match: str | None = None
    if_modified_since: str | None = None
    path: tuple[str, ...] = ()

    @property
    def calls(self) -> bool:
        """Whether it calls an operation."""
        return bool(self.path) and self.path[-1].startswith("$")

    @property
    def looks(self) -> bool:
        """Whether it only looks."""
        return self.method in ("GET", "HEAD")

    @property
    def where(self) -> str:
        """`Bundle.entry[3]`."""
        return f"Bundle.entry[{self.n}]"


def etag(text: str | None, where: str) -> int | None:
    """The version number of an ETag `W/"3"`. Raises Refused."""
    if text is None:
        return None
    match = _ETAG.fullmatch(text.strip())
    if match is None:
        raise refuse("value", where, 'A version is written W/"3".', status=400)
    return int(match[1])


def entries(bundle: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The raw entries of a batch or transaction. Raises Refused when it is neither or too large."""
    if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("batch", "transaction"):
        raise refuse("value", "Bundle.type", "Only a Bundle of type batch or transaction is taken here.", status=400)
    found = bundle.get("entry") or []
    if len(found) > MOST:
        raise refuse("too-costly", "Bundle.entry", f"More than {MOST} entries; send several bundles.", status=413)
    return list(found)


def entry(n: int, raw: Mapping[str, Any], bases: tuple[str, ...] = ()) -> Entry:
    """One entry understood. Raises Refused naming what is missing."""
    where = f"Bundle.entry[{n}]"
    request = raw.get("request")
    if not isinstance(request, dict):
        raise refuse("required", f"{where}.request", "Each entry needs a request.", status=400)
    method, url = request.get("method"), request.get("url")
    if method not in METHODS:
        raise refuse("not-supported", f"{where}.request.method", f"One of {', '.join(METHODS)}.", status=400)
    if not isinstance(url, str) or not url:
        raise refuse("required", f"{where}.request.url", "The request needs its URL.", status=400)
    for base in bases:
        url = url.removeprefix(base)
    path, _, criteria = url.lstrip("/").partition("?")
    parts = tuple(unquote(part) for part in path.split("/")) if path else ()
    looks, calls = method in ("GET", "HEAD"), bool(parts) and parts[-1].startswith("$")
    type_, id_ = parts[0] if parts else "", "/".join(parts[1:])
    if looks and type_[:1] in ("", "_", "$"):
        type_ = ""  # a look at all types
    elif type_ not in resource_types() and not (method == "POST" and calls and len(parts) == 1):
        raise refuse("value", f"{where}.request.url", "The URL begins with a resource type.", status=400)
    if len(parts) > 1 and not parts[1].startswith(("_", "$")) and not references.is_id(parts[1]):
        raise refuse("value", f"{where}.request.url", "The URL holds no valid id.", status=400)
    resource = raw.get("resource")
    if calls and not looks and method != "POST":
        raise refuse("not-supported", f"{where}.request.method", "An operation is called by GET or POST.", status=400)
    if calls and resource is not None and not isinstance(resource, dict):
        raise refuse("structure", f"{where}.resource", "A resource is an object.", status=400)
    if method in ("POST", "PUT") and not calls:
        if not isinstance(resource, dict):
            raise refuse("required", f"{where}.resource", f"A {method} carries a resource.", status=400)
        if resource.get("resourceType") != type_:
            raise refuse("value", f"{where}.resource", "The resource is not of the URL's type.", status=400)
    if method == "PATCH" and (not isinstance(resource, dict) or resource.get("resourceType") not in _PATCHES):
        raise refuse("value", f"{where}.resource", "A PATCH carries Parameters, or a Binary.", status=400)
    if method == "POST" and not calls and (id_ or criteria):
        raise refuse("value", f"{where}.request.url", "A POST names a type alone.", status=400)
    if method in ("PUT", "PATCH", "DELETE") and bool(id_) == bool(criteria):
        raise refuse("value", f"{where}.request.url", f"A {method} names an id or criteria.", status=400)
    if method == "PUT" and id_ and isinstance(resource, dict) and resource.get("id", id_) != id_:
        raise refuse("value", f"{where}.resource.id", "The resource has another id than the URL.", status=400)
    return Entry(
        n,
        method,
        type_,
        id_ or None,
        criteria or None,
        url,
        resource,
        raw.get("fullUrl"),
        etag(request.get("ifMatch"), f"{where}.request.ifMatch"),
        request.get("ifNoneExist"),
        request.get("ifNoneMatch"),
        request.get("ifModifiedSince"),
        parts,
    )


def conditional_references(resource: Any) -> set[str]:
    """References of the form `Patient?identifier=…` in a resource."""
    found: set[str] = set()
    _each_reference(resource, lambda text: found.add(text) if "?" in text and text[:1].isupper() else None)
    return found


def _each_reference(node: Any, see: Callable[[str], Any]) -> None:
    stack = [node]
    while stack:
        one = stack.pop()
        if isinstance(one, dict):
            text = one.get("reference")
            if isinstance(text, str):
                see(text)
            stack.extend(value for value in one.values() if isinstance(value, dict | list))
        elif isinstance(one, list):
            stack.extend(value for value in one if isinstance(value, dict | list))


def resolved(resource: dict[str, Any], places: Mapping[str, str], where: str) -> dict[str, Any]:
    """A copy whose references to entries (and criteria) say what was made of them.

    places: full URL or criteria to `Type/id`. Raises Refused for a urn:uuid that no entry has.
    """
    found: dict[str, Any] = _resolve(resource, places, where)
    return found


def _resolve(node: Any, places: Mapping[str, str], where: str) -> Any:
    if isinstance(node, list):
        return [_resolve(one, places, where) if isinstance(one, dict | list) else one for one in node]
    made = {}
    for name, value in node.items():
        if isinstance(value, dict | list):
            made[name] = _resolve(value, places, where)
        elif name == "reference" and isinstance(value, str):
            made[name] = places.get(value, value)
            if made[name].startswith(("urn:uuid:", "urn:oid:")):
                raise refuse("not-found", where, "A reference leads to no entry of this bundle.", status=400)
        elif name in _VALUES and isinstance(value, str):
            made[name] = places.get(value, value)
        else:
            made[name] = value
    return made
