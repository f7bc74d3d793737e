"""References between resources (hl7.org/fhir/R4/references.html): relative, absolute, contained, urn, canonical."""

import re
from typing import Any, NamedTuple

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}", re.ASCII)
_LITERAL = re.compile(
    r"(?P<server>https?://[^?#\s]*/)?(?P<type>[A-Z][A-Za-z]{1,63})/(?P<id>[A-Za-z0-9\-.]{1,64})"
    r"(?:/_history/(?P<version>[A-Za-z0-9\-.]{1,64}))?",
    re.ASCII,
)


class Reference(NamedTuple):
    """A literal reference taken apart.

    type and id: of the resource meant, where the text tells; type also from `Reference.type`.
    server: base URL with its final slash for an absolute one. version: after `_history`.
    fragment: the contained resource's id ("" for the container itself). url: the text as it stood.
    """

    url: str
    type: str | None = None
    id: str | None = None
    server: str | None = None
    version: str | None = None
    fragment: str | None = None

    @property
    def local(self) -> str | None:
        """`Type/id` of a relative reference; None for every other kind."""
        return f"{self.type}/{self.id}" if self.id is not None and self.server is None else None


def parse(url: str, *, bases: tuple[str, ...] = ()) -> Reference:
    """Take the text of a reference apart. An absolute one below one of bases (with final slash) counts as relative."""
    if url.startswith("#"):
        return Reference(url, fragment=url[1:])
    for base in bases:
        if url.startswith(base):
            url = url[len(base) :]
            break
    match = _LITERAL.fullmatch(url)
    if match is None:
        return Reference(url)
    server, type_, id_, version = match.groups()
    return Reference(url, type_, id_, server, version)


def target_type(reference: dict[str, Any], contained: dict[str, str] | None = None) -> str | None:
    """The resource type a Reference element points at, as far as it tells without looking the target up.

    contained: id to resource type of what the container holds, for `#id`.
    """
    url = reference.get("reference")
    if isinstance(url, str):
        found = parse(url)
        if found.fragment is not None:
            return (contained or {}).get(found.fragment)
        if found.type is not None:
            return found.type
    stated = reference.get("type")
    return stated.rpartition("/")[2] if isinstance(stated, str) else None


def is_id(text: str) -> bool:
    """Whether text may be a resource's id."""
    return ID.fullmatch(text) is not None


def canonical(text: str) -> tuple[str, str | None]:
    """A canonical's URL and version (`url|version`)."""
    url, bar, version = text.partition("|")
    return url, version if bar else None
