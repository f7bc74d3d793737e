"""Patches: JSON Patch and FHIRPath Patch, on what stands there at this moment, held until it is written."""

import asyncio
import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bedside.fhir import json_patch, merge_patch, path_patch, structure
from bedside.fhir.unpatchable import Unpatchable
from bedside.foundation.context import Ctx
from bedside.foundation.database import Row
from bedside.foundation.errors import Conflict, Gone, NotFound
from bedside.records.model import rows as indexing
from bedside.records.model.json import decode
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Stored
from bedside.records.service import conditional, reading
from bedside.records.service.registry import provider_of, refuse_governed
from bedside.records.service.searching import Params
from bedside.records.service.writing import Draft, write
from bedside.records.store import writing as store

Change = Callable[[dict[str, Any]], dict[str, Any]]
"""From the resource as it stands to what it is to be. Raises Unpatchable."""

_LONG = 64 * 1024

MERGE_PATCH = frozenset({"application/merge-patch+json"})
JSON_PATCH = frozenset({"application/json-patch+json"})


def by_json(raw: bytes, where: str = "") -> Change:
    """A JSON Patch. Raises Refused when it is none."""
    try:
        steps = json_patch.read(raw)
    except Unpatchable as error:
        raise refuse(error.issue.code, where, error.issue.diagnostics, status=400) from None
    return lambda resource: json_patch.apply(resource, steps)


def by_path(parameters: dict[str, Any]) -> Change:
    """A FHIRPath Patch. Raises Refused when the resource is no Parameters."""
    if parameters.get("resourceType") != "Parameters":
        raise refuse("value", "resourceType", "A FHIRPath Patch is a Parameters resource.", status=400)
    return lambda resource: path_patch.apply(resource, parameters)


def by_merging(raw: bytes) -> Change:
    """A JSON Merge Patch. Raises Refused when it is no object."""
    try:
        part = structure.read(raw)
    except structure.Malformed as error:
        raise Refused(error.issues, status=400) from None
    return lambda resource: merge_patch.apply(resource, part)


def by_entry(resource: dict[str, Any], where: str) -> Change:
    """The patch in a bundle's entry: Parameters, or a Binary that holds a JSON Patch. Raises Refused."""
    if resource.get("resourceType") != "Binary":
        return by_path(resource)
    kind = str(resource.get("contentType", "")).partition(";")[0].strip().lower()
    if kind not in JSON_PATCH:
        raise refuse(
            "not-supported", f"{where}.resource.contentType", "A Binary holds application/json-patch+json.", status=400
        )
    try:
        raw = base64.b64decode(resource.get("data", ""), validate=True)
    except (binascii.Error, ValueError, TypeError):
        raise refuse("value", f"{where}.resource.data", "This is not base64.", status=400) from None
    return by_json(raw, f"{where}.resource.data")


async def patch(ctx: Ctx, type_: str, id_: str, change: Change, *, if_match: int | None = None) -> Stored:
    """The next version. Raises NotFound, Gone, Forbidden, Conflict, PreconditionFailed, Refused."""
    return (await write(ctx, [await draft(ctx, type_, id_, change, if_match=if_match)]))[0]


async def patch_matching(ctx: Ctx, type_: str, criteria: Params, change: Change, *, if_match: int | None) -> Stored:
    """The next version of the one that matches. Raises NotFound when none does, PreconditionFailed when several do."""
    found = await conditional.target(ctx, type_, criteria)
    if found is None:
        raise NotFound(f"No {type_} matches the criteria.")
    return await patch(ctx, type_, found.id, change, if_match=if_match)


async def draft(
    ctx: Ctx,
    type_: str,
    id_: str,
    change: Change,
    *,
    if_match: int | None = None,
    where: str | None = None,
    held: Mapping[int, Row] | None = None,
) -> Draft:
    """The write that a patch comes to. held: what `hold` has locked already, this resource too.

    Who may not read the resource may not patch it: a patch can ask by trying.
    """
    provider = provider_of(type_, id_)
    if provider is not None:
        raise Conflict(f"This {type_} belongs to {provider.room}.", where=where or type_, remedy=provider.operation)
    number = indexing.rid(type_, id_)
    if held is None:
        held = await store.lock(ctx.sql, ctx.tenant, [number])
    row = held.get(number)
    if row is None:
        await reading.read(ctx, type_, id_)  # says that there is none, or that the asker may not know
        raise NotFound(f"There is no such {type_}.")
    await reading.authorise(ctx, list(row["patients"]), type_)
    if row["body"] is None:
        raise Gone(f"This {type_} was deleted.", remedy="PUT brings it back.")
    standing = decode(row["body"])
    refuse_governed(standing, room=None, where=where or type_)
    try:
        # A long one is worked on beside the loop, so that nobody else waits for it.
        made = await asyncio.to_thread(change, standing) if len(row["body"]) > _LONG else change(standing)
    except Unpatchable as error:
        raise _refused(error, where) from None
    if made.get("resourceType") != type_ or made.get("id") != id_:
        raise refuse("business-rule", where or type_, "A patch changes neither the type nor the id.")
    return Draft("put", type_, id_, made, if_match=if_match, where=where)


async def hold(ctx: Ctx, targets: Sequence[tuple[str, str]]) -> dict[int, Row]:
    """Lock what several patches of one transaction meet, in the one order in which everybody locks; what stands."""
    return await store.lock(ctx.sql, ctx.tenant, [indexing.rid(type_, id_) for type_, id_ in targets])


def _refused(error: Unpatchable, where: str | None = None) -> Refused:
    issue, said = error.issue, error.issue.diagnostics
    place = issue.expression
    if where and place.startswith("["):  # a step of a JSON Patch, which is packed in a Binary
        place, said = f"{where}.resource.data", f"Step {place}: {said}"
    elif where:
        place = f"{where}.resource{place.removeprefix('Parameters')}"
    return refuse(issue.code, place, said, status=400 if error.malformed else 422)
