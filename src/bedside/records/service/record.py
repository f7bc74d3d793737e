"""The record as other rooms use it: resources in and out as FHIR JSON dicts."""

from collections.abc import Mapping
from typing import Any

from bedside.fhir.definitions import resource_types
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.records.model.stored import Page, Stored
from bedside.records.service import conditional, reading, searching
from bedside.records.service.operations import lastn
from bedside.records.service.searching import Params, page_of
from bedside.records.service.writing import Draft, draft, write


async def create(ctx: Ctx, resource: dict[str, Any], *, id: str | None = None) -> Stored:  # noqa: A002
    """Keep a new resource. With an id (given here or in the resource) a repeat is harmless: the same content makes no
    new version. Raises Refused, Forbidden, Conflict (governed by another room)."""
    return (await write(ctx, [draft(resource, id=id)]))[0]


async def create_if_none(ctx: Ctx, resource: dict[str, Any], criteria: Params) -> Stored:
    """Keep the resource unless one matches the criteria already, which is then answered (changed False).

    Of any number of callers at once one creates. Raises PreconditionFailed when several match.
    """
    return await conditional.create(ctx, draft({k: v for k, v in resource.items() if k != "id"}), criteria)


async def update(ctx: Ctx, resource: dict[str, Any], *, if_match: int | None = None) -> Stored:
    """Keep the next version, or the first where none stands. if_match: the version that must stand there.

    Raises Refused, Forbidden, Conflict, PreconditionFailed.
    """
    made = draft(resource)
    made.if_match = if_match
    return (await write(ctx, [made]))[0]


async def delete(ctx: Ctx, type: str, id: str, *, if_match: int | None = None) -> Stored:  # noqa: A002
    """Delete: reads answer Gone from now on, history stays. Twice is once. Raises NotFound, Forbidden, Conflict."""
    return (await write(ctx, [Draft("delete", type, id, None, if_match=if_match)]))[0]


async def write_governed(ctx: Ctx, resource: dict[str, Any], *, room: str, if_match: int | None = None) -> Stored:
    """The write of a resource by the room that governs its kind; otherwise as create with an id, or update.

    if_match: the version that must stand there, else PreconditionFailed.
    """
    made = draft(resource, room=room)
    made.if_match = if_match
    return (await write(ctx, [made]))[0]


async def read(ctx: Ctx, type: str, id: str) -> dict[str, Any]:  # noqa: A002
    """The current version; decimals are decimal.Decimal. Raises NotFound, Gone, Forbidden."""
    known(type)
    return (await reading.read(ctx, type, id)).resource


async def search(ctx: Ctx, type: str, params: Params, *, provided: bool = True) -> Page:  # noqa: A002
    """One page of a FHIR search: params as pairs, a dict or a query string; `_cursor` from Page.next goes on.

    provided: with what other rooms show in the record by read providers (readings); without, what was written alone.

    Raises Refused for what the search language does not know (the face is strict), Forbidden.
    """
    known(type)
    return page_of(await searching.search(ctx, type, params, provided=provided))


async def every(ctx: Ctx, type: str, params: Mapping[str, str], *, provided: bool = True) -> Page:  # noqa: A002
    """All that `search` finds as one page, however many pages that is: for what must not be judged by its first page,
    as allergies and medicines. Of one patient's resources of a kind of which there are hundreds, not of readings.

    Raises as search does.
    """
    wanted = {**params, "_count": str(searching.MOST)}
    page = await search(ctx, type, wanted, provided=provided)
    entries, included = list(page.entries), {(one["resourceType"], one["id"]): one for one in page.included}
    while page.next:
        page = await search(ctx, type, {**wanted, "_cursor": page.next}, provided=provided)
        entries += page.entries
        included |= {(one["resourceType"], one["id"]): one for one in page.included}
    return Page(entries, len(entries), None, list(included.values()))


async def newest(ctx: Ctx, params: Params, most: int) -> list[dict[str, Any]]:
    """The newest Observations of each kind among what `search` finds of a patient, at most so many of one, as
    `Observation/$lastn` has them: a test that is made daily hides none that is made once a year. Raises as search."""
    found = await lastn.newest(ctx, searching.parse("Observation", params), most)
    return [one.resource for kind in found for one in kind]


async def history(ctx: Ctx, type: str, id: str) -> list[dict[str, Any]]:  # noqa: A002
    """Every version of a resource, newest first; a deletion is left out. Raises NotFound, Forbidden."""
    known(type)
    found = await reading.instance_history(ctx, type, id)
    return [one.stored.resource for one in found if one.stored.body]


def known(type_: str) -> str:
    """The type, or NotFound when R4 has none such."""
    if type_ not in resource_types():
        raise NotFound("There is no such resource type in FHIR R4.", where=type_[:64])
    return type_
