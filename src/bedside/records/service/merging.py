"""Merging two patients who are one person, and undoing it.

Nothing is moved and nothing is lost: the patient who goes says by whom they are replaced, the one who stays whom they
replace and which numbers they had; what refers to either stays as it is and is read as before. So undoing is exact.
"""

from datetime import datetime
from typing import Any, NamedTuple

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, NotFound
from bedside.foundation.ids import uuid7
from bedside.records.model.json import decode
from bedside.records.model.refusals import refuse
from bedside.records.model.rows import rid
from bedside.records.model.stored import PatientRow, Stored
from bedside.records.service import reading
from bedside.records.service.patients import row_of
from bedside.records.service.writing import Draft, write
from bedside.records.store import duplicates
from bedside.records.store import merging as store

LISTED = 1000
"""Merges that are looked through for those that the asker may see."""


def _link(id_: str, type_: str) -> dict[str, Any]:
    return {"other": {"reference": f"Patient/{id_}"}, "type": type_}


class Merged(NamedTuple):
    """A merge that holds. by: a reference to who did it. reason: as they gave it, "" for none."""

    source: PatientRow
    target: PatientRow
    at: datetime
    by: str
    reason: str


async def merges(ctx: Ctx, *, limit: int = 100) -> list[Merged]:
    """Those that hold, newest first, of patients whom the asker may both see. Raises Forbidden."""
    await access.authorise(ctx, None, "R", what="Patient")
    visible = await access.visible(ctx, "Patient")
    found: list[Merged] = []
    for row in await store.all_standing(ctx.sql, ctx.tenant, LISTED):
        ids = (row["source"], row["target"])
        if len(found) == limit or (visible is not None and not set(ids) <= visible):
            continue
        bodies = await duplicates.bodies(ctx.sql, ctx.tenant, [rid("Patient", one) for one in ids])
        if len(bodies) == 2:
            source, target = (row_of(decode(bodies[rid("Patient", one)])) for one in ids)
            found.append(Merged(source, target, row["at"], row["by"], row["was"].get("reason") or ""))
            for one in ids:
                ctx.trail.patients.setdefault(one, set()).add("R")
    return found


async def merge(ctx: Ctx, source: str, target: str, *, reason: str = "") -> Stored:
    """Say that source is the same person as target, whose record goes on; the target as it stands now.

    Raises NotFound, Gone, Forbidden, Conflict when one of them is merged already, Refused for a patient and themselves.
    """
    if source == target:
        raise refuse("value", "target-patient", "A patient is not merged with themselves.")
    going, staying = await reading.read(ctx, "Patient", source), await reading.read(ctx, "Patient", target)
    for one in (source, target):
        if await store.standing(ctx.sql, ctx.tenant, one) is not None:
            raise Conflict("One of these patients is merged into another already.", remedy="Undo that first.")
    old, new = going.resource, staying.resource
    had = {(one.get("system"), one.get("value")) for one in new.get("identifier") or ()}
    given = [
        {**one, "use": "old"} for one in old.get("identifier") or () if (one.get("system"), one.get("value")) not in had
    ]
    was = {"active": old.get("active"), "identifiers": given, "reason": reason}
    old["active"] = False
    old["link"] = [*(old.get("link") or ()), _link(target, "replaced-by")]
    new["link"] = [*(new.get("link") or ()), _link(source, "replaces")]
    if given:
        new["identifier"] = [*(new.get("identifier") or ()), *given]
    _, stored = await _both(ctx, old, going.version, new, staying.version)
    by = ctx.actor.reference or f"{ctx.actor.kind}/{ctx.actor.id}"
    kept = {"id": uuid7(), "tenant": ctx.tenant, "source": source, "target": target}
    await store.insert(ctx.sql, {**kept, "at": ctx.clock.now(), "by": by, "was": was})
    return stored


async def unmerge(ctx: Ctx, source: str) -> Stored:
    """Take the merge of a patient back: both as they were, but for what others wrote meanwhile, which stays.

    The source as it stands now. Raises NotFound when there is none such, Forbidden.
    """
    merged = await store.standing(ctx.sql, ctx.tenant, source)
    if merged is None:
        await reading.read(ctx, "Patient", source)
        raise NotFound("This patient is merged into nobody.")
    target = merged["target"]
    going, staying = await reading.read(ctx, "Patient", source), await reading.read(ctx, "Patient", target)
    old, new = going.resource, staying.resource
    _without(old, "link", [_link(target, "replaced-by")])
    _without(new, "link", [_link(source, "replaces")])
    _without(new, "identifier", merged["was"]["identifiers"])
    if merged["was"]["active"] is None:
        old.pop("active", None)
    else:
        old["active"] = merged["was"]["active"]
    stored, _ = await _both(ctx, old, going.version, new, staying.version)
    await store.undo(ctx.sql, merged["id"], ctx.clock.now())
    return stored


def _without(patient: dict[str, Any], name: str, given: list[dict[str, Any]]) -> None:
    left = list(patient.get(name) or ())
    for one in given:
        for n in range(len(left) - 1, -1, -1):  # the last: what the merge added stands behind what was there
            if left[n] == one:
                del left[n]
                break
    if left:
        patient[name] = left
    else:
        patient.pop(name, None)


async def _both(
    ctx: Ctx, old: dict[str, Any], old_version: int, new: dict[str, Any], new_version: int
) -> tuple[Stored, Stored]:
    drafts = [
        Draft("put", "Patient", one["id"], one, if_match=version)
        for one, version in ((old, old_version), (new, new_version))
    ]
    first, second = await write(ctx, drafts)
    return first, second
