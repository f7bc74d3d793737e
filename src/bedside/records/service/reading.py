"""Reads by id."""

from typing import NamedTuple

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.database import Row
from bedside.foundation.errors import BedsideError, Forbidden, Gone, NotFound
from bedside.records.model import rows as indexing
from bedside.records.model.json import encode
from bedside.records.model.openness import OPEN, outside
from bedside.records.model.provider import ReadProvider
from bedside.records.model.stored import Stored
from bedside.records.service import auditing
from bedside.records.service.registry import provider_of
from bedside.records.store import reading as store
from bedside.records.store.reading import Part


class Version(NamedTuple):
    """A version as history lists it. method: POST, PUT or DELETE."""

    stored: Stored
    method: str
    patients: tuple[str, ...]


async def read(ctx: Ctx, type_: str, id_: str) -> Stored:
    """The current version. Raises NotFound, Gone, Forbidden."""
    if type_ == "AuditEvent":
        return await auditing.read(ctx, id_)
    provider = provider_of(type_, id_)
    if provider is not None:
        return await _provided(ctx, provider, id_)
    row = await store.current(ctx.sql, ctx.tenant, indexing.rid(type_, id_))
    if row is None or row["type"] != type_ or row["id"] != id_:
        raise await absent(ctx, type_, id_)
    await authorise(ctx, list(row["patients"]), type_, id_)
    ctx.trail.entities.append(f"{type_}/{id_}")
    if row["body"] is None:
        raise Gone("This %(type)s was deleted.", type=type_, remedy="Its history is still there.")
    return stored(row)


async def version(ctx: Ctx, type_: str, id_: str, number: int) -> Stored:
    """One version. Raises NotFound, Gone for a deletion, Forbidden."""
    if type_ == "AuditEvent":
        if number != 1:
            raise NotFound("There is no such version.")
        return await auditing.read(ctx, id_)
    provider = provider_of(type_, id_)
    if provider is not None:
        for one in await instance_history(ctx, type_, id_):
            if one.stored.version == number:
                return one.stored
        raise NotFound("There is no such version.")
    row = await store.version(ctx.sql, ctx.tenant, indexing.rid(type_, id_), number)
    if row is None or row["id"] != id_:
        newest = await store.current(ctx.sql, ctx.tenant, indexing.rid(type_, id_))
        if newest is None or newest["id"] != id_:
            raise await absent(ctx, type_, id_)
        await authorise(ctx, list(newest["patients"]), type_)
        raise NotFound("There is no such version.")
    await authorise(ctx, list(row["patients"]), type_, id_)
    ctx.trail.entities.append(f"{type_}/{id_}/_history/{number}")
    if row["body"] is None:
        raise Gone("This version is the deletion.", remedy="The versions before it are still there.")
    return stored(row)


async def instance_history(ctx: Ctx, type_: str, id_: str) -> list[Version]:
    """Every version of one resource, newest first. Raises NotFound, Forbidden."""
    provider = provider_of(type_, id_)
    if provider is not None:
        await _of_patient(ctx, provider, id_)
        found = await provider.versions(ctx, id_)
        return [Version(as_stored(one), "PUT" if i < len(found) - 1 else "POST", ()) for i, one in enumerate(found)]
    rows = await store.versions(ctx.sql, ctx.tenant, indexing.rid(type_, id_))
    if not rows or rows[0]["id"] != id_:
        raise await absent(ctx, type_, id_)
    for one in {tuple(row["patients"]) for row in rows}:  # whoever it belonged to
        await authorise(ctx, list(one), type_)
    ctx.trail.entities.append(f"{type_}/{id_}/_history")
    return [Version(stored(row), row["method"], tuple(row["patients"])) for row in rows]


async def history_part(ctx: Ctx, type_: str, id_: str, wanted: Part) -> tuple[list[Version], int]:
    """Some versions of a resource that the record itself keeps, newest first, and how many those asked for are in all.

    Raises NotFound, Forbidden.
    """
    number = indexing.rid(type_, id_)
    newest = await store.current(ctx.sql, ctx.tenant, number)
    if newest is None or newest["id"] != id_:
        raise await absent(ctx, type_, id_)
    for one in await store.owners(ctx.sql, ctx.tenant, number):  # whoever it belonged to
        await authorise(ctx, one, type_)
    ctx.trail.entities.append(f"{type_}/{id_}/_history")
    rows, total = await store.part(ctx.sql, ctx.tenant, number, wanted)
    return [Version(stored(row), row["method"], tuple(row["patients"])) for row in rows], total


async def absent(ctx: Ctx, type_: str, id_: str, action: str = "R") -> BedsideError:
    """What to raise for an id that leads to nothing: the same as for a record that the actor may not see, so that no
    answer tells which ids there are. Of types that speak of no patient everybody may know."""
    await access.authorise(ctx, None, "R", what=type_)  # nobody is asked to sign in first; some read no record at all
    words = f"There is no such {type_}."
    if type_ in OPEN or (type_ == "Patient" and await access.may(ctx, id_, "R", what="Patient")):
        return NotFound(words)
    return await access.absent(ctx, action, type_, words)


async def authorise(ctx: Ctx, patients: list[str], what: str, id_: str | None = None) -> None:
    """Let pass who may read for one of the patients; outside every compartment, who may read such resources.

    id_: of the one resource that is read: some may read it and no other of its type, as a pharmacist what was sent.
    """
    if not patients and not outside(ctx.actor.kind, ctx.actor.roles, what):
        await access.authorise(ctx, None, "R", what=what)  # nobody is asked to sign in first
        ctx.trail.refused = f"R {what}"
        raise Forbidden("You may not read this: it names no patient whose record you may see.")
    if id_ is not None:
        what = f"{what}/{id_}"
    if len(patients) <= 1:
        await access.authorise(ctx, patients[0] if patients else None, "R", what=what)
        return
    for patient in patients:
        if await access.may(ctx, patient, "R", what=what):
            await access.authorise(ctx, patient, "R", what=what)
            return
    await access.authorise(ctx, patients[0], "R", what=what)


async def _of_patient(ctx: Ctx, provider: ReadProvider, id_: str) -> None:
    patient = await provider.patient_of(ctx, id_)
    if patient is None:
        raise await absent(ctx, provider.type, id_)
    await access.authorise(ctx, patient, "R", what=provider.type)
    ctx.trail.entities.append(f"{provider.type}/{id_}")


async def _provided(ctx: Ctx, provider: ReadProvider, id_: str) -> Stored:
    await _of_patient(ctx, provider, id_)
    found = await provider.render(ctx, [id_])
    if id_ not in found:
        raise NotFound("There is no such %(type)s.", type=provider.type)
    return as_stored(found[id_])


def as_stored(resource: dict) -> Stored:  # type: ignore[type-arg]
    """A provider's resource in the shape of a stored one."""
    from bedside.fhir import dates

    meta = resource["meta"]
    updated = dates.span(meta["lastUpdated"]).low
    return Stored(
        resource["resourceType"], resource["id"], int(meta["versionId"]), updated, False, False, encode(resource)
    )


def stored(row: Row) -> Stored:
    """A row as it crosses the face."""
    return Stored(row["type"], row["id"], row["version"], row["updated"], False, False, row["body"] or b"")
