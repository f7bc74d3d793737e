"""What the app told the record at composition: read providers, what other rooms govern, and what they heed."""

from typing import Any

from bedside.foundation.errors import Conflict
from bedside.records.model.governed import Governed
from bedside.records.model.heed import Heed
from bedside.records.model.provider import ReadProvider

_providers: dict[str, list[ReadProvider]] = {}
_governed: dict[str, list[Governed]] = {}
_heeded: dict[str, list[Heed]] = {}


def provide(provider: ReadProvider) -> None:
    """Let a room's own rows appear as resources (see ReadProvider). Twice for one view: the last holds."""
    kept = [p for p in _providers.get(provider.type, ()) if p.view != provider.view]
    _providers[provider.type] = [*kept, provider]


def govern(governed: Governed) -> None:
    """Refuse generic writes of what a room governs. Twice for the same type, room and operation: the last holds."""
    kept = [g for g in _governed.get(governed.type, ()) if (g.room, g.operation) != (governed.room, governed.operation)]
    _governed[governed.type] = [*kept, governed]


def heed(wanted: Heed) -> None:
    """Make a job of each new version of this kind. Twice for one type and job: the last holds."""
    kept = [h for h in _heeded.get(wanted.type, ()) if h.job != wanted.job]
    _heeded[wanted.type] = [*kept, wanted]


def heeding(resource: dict[str, Any]) -> list[Heed]:
    """Those whose job a version of this resource makes."""
    return [wanted for wanted in _heeded.get(resource["resourceType"], ()) if wanted.test(resource)]


def may_heed(type_: str, resource: dict[str, Any] | None) -> bool:
    """Whether this may make a job: asked before it is known to be a valid resource."""
    wanted = _heeded.get(type_)
    if not wanted or resource is None:
        return bool(wanted)
    try:
        return any(one.test(resource) for one in wanted)
    except (AttributeError, KeyError, TypeError):
        return True  # the way that checks each alone refuses it


def providers(type_: str) -> list[ReadProvider]:
    """The providers of a type."""
    return _providers.get(type_, [])


def provided_types() -> list[str]:
    """The types that have providers."""
    return sorted(_providers)


def provider_of(type_: str, id_: str) -> ReadProvider | None:
    """The provider whose id this is."""
    for provider in _providers.get(type_, ()):
        if provider.owns(id_):
            return provider
    return None


def refuse_governed(resource: dict[str, Any], *, room: str | None, where: str) -> None:
    """Raise Conflict when another room than `room` governs the resource; room None: a generic FHIR write."""
    type_ = resource["resourceType"]
    id_ = resource.get("id")
    provider = provider_of(type_, id_) if isinstance(id_, str) else None
    if provider is not None:
        raise Conflict(f"This {type_} belongs to {provider.room}.", where=where, remedy=provider.operation)
    for governed in _governed.get(type_, ()):
        if governed.room != room and governed.test(resource):
            raise Conflict(f"This {type_} is governed by {governed.room}.", where=where, remedy=governed.operation)
