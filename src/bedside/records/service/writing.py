"""Every write goes through here: checked, authorised, indexed, kept as the next version, in a few statements.

A single create and a transaction of a thousand entries take the same way: drafts in, stored versions out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import msgspec

from bedside import access
from bedside.fhir import index, references, structure
from bedside.fhir.definitions import resource_types
from bedside.foundation import jobs
from bedside.foundation.aside import breath
from bedside.foundation.context import Ctx
from bedside.foundation.database import Connection, Row
from bedside.foundation.errors import BedsideError, Conflict, PreconditionFailed
from bedside.foundation.ids import uuid7
from bedside.records.model import rows as indexing
from bedside.records.model.contents import Content
from bedside.records.model.json import decode, encode
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.rows import Rows
from bedside.records.model.stored import Stored
from bedside.records.service import consents, contexts, integrity, reading, relatives
from bedside.records.service.registry import heeding, may_heed, provider_of, refuse_governed
from bedside.records.store import phrases
from bedside.records.store import writing as store
from bedside.records.store.versions import Versions

NO_CLIENT = frozenset({"AuditEvent"})
"""Types that nobody writes: Bedside itself keeps them."""
TOGETHER = 200
"""References that one job is told of."""


OWN = "records"
"""The room of what follows from another write."""


class Draft(msgspec.Struct):
    """A write not yet made.

    kind: create (a fresh id, nothing can stand there), put (create or next version), delete. resource: without server
    metadata. if_match: the version that must stand there. room: the governing room that writes; None for a generic
    write. where: the entry's place in a bundle, for errors. checked: its structure was found good already.
    """

    kind: Literal["create", "put", "delete"]
    type: str
    id: str
    resource: dict[str, Any] | None
    if_match: int | None = None
    room: str | None = None
    where: str | None = None
    checked: bool = False


def draft(resource: dict[str, Any], *, id: str | None = None, room: str | None = None) -> Draft:  # noqa: A002
    """The draft of a resource from within: with an id it may stand there already, without one it is new.

    Raises Refused when it is no resource at all.
    """
    type_ = type_of(resource)
    given = id or resource.get("id")
    if given is None:
        return Draft("create", type_, uuid7(), resource, room=room)
    if not isinstance(given, str) or not references.is_id(given):
        raise refuse("value", f"{type_}.id", "An id is 1 to 64 letters, digits, hyphens and full stops.")
    return Draft("put", type_, given, resource, room=room)


def type_of(resource: Any) -> str:
    """The resource's type. Raises Refused when there is none such."""
    type_ = resource.get("resourceType") if isinstance(resource, dict) else None
    if not isinstance(type_, str) or type_ not in resource_types():
        raise refuse("structure", "resourceType", "This is no FHIR R4 resource type.", status=400)
    return type_


async def write(ctx: Ctx, drafts: Sequence[Draft], *, places: bool = True) -> list[Stored]:
    """Make the writes, all or none. Raises Refused, Forbidden, Conflict, PreconditionFailed, NotFound, Gone.

    places: hold the places of what is not there yet, so that others wait; False: store.Race where one was first.
    """
    work = _Work(ctx, owner=all(one.room is not None for one in drafts))
    if any(one.type in contexts.TYPES for one in drafts):
        await contexts.check(ctx, drafts)
        work.contexts = await contexts.of(ctx, drafts)
        work.lifted = await contexts.lift(ctx, drafts)
    standing = await work.standing(drafts, places=places)
    for n, one in enumerate(drafts):
        await breath(n)
        try:
            work.take(one, standing.get(indexing.rid(one.type, one.id)) if standing else None)
        except Refused as error:
            if one.where is None:
                raise
            raise error.under(f"{one.where}.resource") from None
        except BedsideError as error:
            error.where = error.where or one.where
            raise
    await work.authorise()
    await work.flush()
    if work.granted and (changed := await relatives.changed(ctx, work.granted)):
        await write(ctx, [draft(one, room=OWN) for one in changed])
    return work.results if work.owner else await integrity.check(ctx, work.results)


async def create(ctx: Ctx, action: str, draft: Draft) -> Stored:
    """Make one new resource, in a unit of work of its own. Raises as `write`.

    Where nothing but the resource is to be written and the caller's scopes alone decide, it shares its transaction
    with the creates that come at the same moment.
    """
    if ctx.actor.kind == "client" and _alone(draft):

        async def prepare(inner: Ctx) -> _Work:
            work = _Work(inner)
            work.take(draft, None)
            await work.authorise()
            return work

        return (await access.share(ctx, action, prepare, _flush)).results[0]

    async def once() -> Stored:
        async with access.work(ctx, action) as inner:
            return (await write(inner, [draft]))[0]

    return await ctx.database.attempt(once)


def _alone(draft: Draft) -> bool:
    """Whether nothing but the resource itself is looked at and written when this one is made."""
    if draft.type == "Consent" or draft.type in contexts.TYPES:
        return False
    return not may_heed(draft.type, draft.resource)


async def _flush(sql: Connection, tenant: int, works: Sequence[_Work]) -> None:
    """New resources of several units of work."""
    versions, rows = Versions(), Rows()
    for work in works:
        versions.extend(work.fresh)
        rows.extend(work.fresh_rows)
    await store.insert(sql, tenant, versions, rows)
    await phrases.learn(works[0].ctx.database, sql, tenant, list(rows.phrases))
    # Where references are enforced, one that leads to nothing refuses all: each is then written, or refused, alone.
    first = works[0].ctx.with_(tx=sql)
    told = await integrity.check(first, [one for work in works for one in work.results])
    by_reference = {one.reference: one for one in told}
    for work in works:
        work.results = [by_reference[one.reference] for one in work.results]


class _Work:
    """One call of `write`: what it found, what it will write."""

    def __init__(self, ctx: Ctx, *, owner: bool = False) -> None:
        self.ctx = ctx
        self.owner = owner
        self.now: datetime = ctx.clock.now()
        self.stamp = self.now.isoformat(timespec="microseconds").replace("+00:00", "Z")
        self.results: list[Stored] = []
        self.fresh, self.fresh_rows = Versions(), Rows()
        self.next, self.next_rows = Versions(), Rows()
        self.asked: dict[tuple[str | None, str, str], None] = {}
        self.consents: list[tuple[str, dict[str, Any] | None]] = []
        self.granted: set[tuple[str, str]] = set()
        self.heeded: dict[tuple[str, str], None] = {}
        self.each: dict[str, list[str]] = {}
        self.contexts: dict[str, list[str]] = {}
        self.lifted: dict[str, Content] = {}
        self.absent: tuple[str, str] | None = None
        self.refusal: Conflict | None = None

    async def standing(self, drafts: Iterable[Draft], *, places: bool) -> dict[int, Row]:
        """Lock what the drafts meet. Only a server-made id is sure to meet nothing."""
        met = [indexing.rid(d.type, d.id) for d in drafts if d.kind != "create"]
        return await store.lock(self.ctx.sql, self.ctx.tenant, met, places=places) if met else {}

    def take(self, one: Draft, was: Row | None) -> None:
        """Check a draft against what stands there and add it to what is to be written."""
        if one.type in NO_CLIENT:
            raise Conflict(f"Nobody writes an {one.type}.", remedy="Bedside makes them itself; read and search them.")
        self._refuse_governed(one, was)
        if one.if_match is not None and (was is None or was["version"] != one.if_match):
            raise PreconditionFailed(
                "Another version stands there than the one that If-Match names.", remedy="Read it again."
            )
        if one.kind == "delete":
            self._take_deletion(one, was)
        else:
            self._take_version(one, was)

    def _refuse_governed(self, one: Draft, was: Row | None) -> None:
        place = one.where or one.type
        if one.resource is not None:
            refuse_governed({**one.resource, "id": one.id}, room=one.room, where=place)
        elif (provider := provider_of(one.type, one.id)) is not None:
            raise Conflict(f"This {one.type} belongs to {provider.room}.", where=place, remedy=provider.operation)
        if was is not None and was["body"] is not None:
            try:
                refuse_governed(decode(was["body"]), room=one.room, where=place)
            except Conflict as refusal:
                # Told once it is sure that the actor may write here at all: else it would tell what this id is.
                self._ask(was["patients"], "D" if one.kind == "delete" else "U", one.type)
                self.refusal = self.refusal or refusal

    def _take_deletion(self, one: Draft, was: Row | None) -> None:
        if was is None:
            self.absent = self.absent or (one.type, one.id)
            return
        number = was["version"]
        changed = was["body"] is not None
        self._ask(was["patients"], "D", one.type)  # of what is gone already too: the answer tells that it was there
        if changed:
            number += 1
            self.next.add(self.now, was["rid"], one.type, one.id, number, "DELETE", was["patients"], None)
            if one.type == "Consent":
                self.consents.append((one.id, None))
        self.results.append(Stored(one.type, one.id, number, self.now, False, changed, b""))

    def _take_version(self, one: Draft, was: Row | None) -> None:
        if one.resource is None:
            raise ValueError("a draft of a version has a resource")
        gone = was is not None and was["body"] is None
        if was is not None and not gone:
            same = finished(one, was["version"], _stamp(was["updated"]))
            if encode(same) == was["body"]:
                self._ask(was["patients"], "U", one.type)
                self.results.append(Stored(one.type, one.id, was["version"], was["updated"], False, False, was["body"]))
                return
        number = 1 if was is None else was["version"] + 1
        resource = finished(one, number, self.stamp)
        body = encode(resource)
        if not one.checked:
            check(body)
        rows = self.fresh_rows if was is None else self.next_rows
        values = index.extract(resource, composites=False, only=indexing.shape(one.type).written, apart=True)
        found = indexing.add(rows, one.type, one.id, values)
        if one.type == "Binary":
            found = found._replace(patients=self.contexts.get(one.id, []))
        made = was is None or gone
        if was is not None and not gone:
            self._ask(was["patients"], "U", one.type)
        if made and one.type == "Patient" and self.ctx.actor.kind == "person":
            self._ask([], "C", one.type)  # nobody can be related yet to a patient who is not there
        else:
            self._ask(found.patients, "C" if made else "U", one.type)
        method = "POST" if one.kind == "create" else "PUT"
        rid = indexing.rid(one.type, one.id) if was is None else was["rid"]
        (self.fresh if was is None else self.next).add(
            self.now, rid, one.type, one.id, number, method, found.patients, body
        )
        if one.type == "Consent":
            self.consents.append((one.id, resource))
        for wanted in heeding(resource):
            if wanted.each:
                self.each.setdefault(wanted.job, []).append(f"{one.type}/{one.id}")
            else:
                self.heeded.update(dict.fromkeys((wanted.job, patient) for patient in found.patients))
        self.results.append(Stored(one.type, one.id, number, self.now, made, True, body))

    def _ask(self, patients: Sequence[str], action: str, what: str) -> None:
        for patient in patients or (None,):
            self.asked[patient, action, what] = None

    async def authorise(self) -> None:
        """One question for each patient, action and type.

        A room that writes what it governs has asked already, for its own noun: a patient who arrives at a visit may do
        that, and the visit's Encounter follows. Only a patient whom its unit of work has not named is asked about here.
        """
        if self.absent is not None:
            raise await reading.absent(self.ctx, *self.absent, "D")
        for patient, action, what in self.asked:
            if self.owner and patient in self.ctx.trail.patients and self.ctx.trail.refused is None:
                self.ctx.trail.patients[patient].add(action)
                self.ctx.trail.wrote = True
                continue
            await access.authorise(self.ctx, patient, action, what=what)
        if self.refusal is not None:
            raise self.refusal
        self.ctx.trail.entities += [stored.reference for stored in self.results]

    async def flush(self) -> None:
        """To the database, and a Consent's grant with it."""
        sql, tenant = self.ctx.sql, self.ctx.tenant
        if self.fresh.rids:
            await store.insert(sql, tenant, self.fresh, self.fresh_rows)
        if self.next.rids:
            await store.change(sql, tenant, self.next, self.next_rows)
        learnt = [*self.fresh_rows.phrases, *self.next_rows.phrases]
        await phrases.learn(self.ctx.database, sql, tenant, learnt)
        if self.lifted:
            await contexts.show(self.ctx, self.results, self.lifted)
        for id_, consent in self.consents:
            self.granted |= await consents.apply(self.ctx, id_, consent)
        for job, patient in self.heeded:
            await jobs.enqueue(self.ctx, job, {"patient": patient}, key=patient)
        for job, written in self.each.items():
            for n in range(0, len(written), TOGETHER):
                await jobs.enqueue(self.ctx, job, {"references": written[n : n + TOGETHER]})


def finished(one: Draft, number: int, stamp: str) -> dict[str, Any]:
    """The resource as it will stand: its id and the server's metadata first, the rest as it came."""
    resource = one.resource or {}
    meta = resource.get("meta")
    if meta is not None and not isinstance(meta, dict):
        raise refuse("structure", f"{one.type}.meta", "meta is an object.")
    kept = {k: v for k, v in (meta or {}).items() if k not in ("versionId", "lastUpdated")}
    head = {"resourceType": one.type, "id": one.id, "meta": {"versionId": str(number), "lastUpdated": stamp, **kept}}
    return head | {k: v for k, v in resource.items() if k not in head}


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def check(body: bytes) -> None:
    """Raise Refused when the bytes are no valid resource."""
    issues = structure.validate(body)
    if issues:
        raise Refused(issues)
