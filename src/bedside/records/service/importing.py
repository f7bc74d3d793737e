"""Some resources of an import kept: every refusal named, the rest kept, a second run harmless."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from bedside import access
from bedside.fhir import references, structure
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict
from bedside.records.model.bundle import conditional_references, resolved
from bedside.records.model.imported import Found, Kept, Part, RefusedResource
from bedside.records.model.json import decode, encode
from bedside.records.model.provider import ReadProvider
from bedside.records.model.refusals import Refused
from bedside.records.model.stored import Stored
from bedside.records.service import reading, searching
from bedside.records.service.import_files import refusal
from bedside.records.service.registry import provider_of, providers
from bedside.records.service.writing import Draft, type_of, write
from bedside.records.store.writing import Race

TRIES = 5


class _One(NamedTuple):
    """A resource that could be read. raw: as it stands in the file; None where it was changed since."""

    found: Found
    resource: dict[str, Any]
    id: str
    raw: bytes | None

    @property
    def name(self) -> str:
        return f"{self.resource.get('resourceType', '?')}/{self.id}"


class _Work(NamedTuple):
    """A part under way."""

    ctx: Ctx
    part: Part
    kept: Kept

    def refuse(self, one: _One, error: BedsideError) -> None:
        self.kept.report.refused.append(refusal(self.part.file, one.found.at, one.name, error))


async def keep(ctx: Ctx, part: Part) -> Kept:
    """Write what is well made, all at once; should that fail, in halves, so that each refusal is its own.

    ctx: without a transaction. Raises what is no refusal of a resource: Unavailable and the like.
    """
    work = _Work(ctx, part, Kept())
    drafts: list[tuple[_One, Draft]] = []
    seen: set[tuple[str, str]] = set()
    for one in await _not_elsewhere(work, _read(work)):
        try:
            draft = _draft(one)
        except Refused as error:
            work.refuse(one, error)
            continue
        if (draft.type, draft.id) in seen:  # it is the next version of what stands further up in the file
            await _write_all(work, drafts)
            drafts, seen = [], set()
        seen.add((draft.type, draft.id))
        drafts.append((one, draft))
    await _write_all(work, drafts)
    return work.kept


def _read(work: _Work) -> list[_One]:
    found: list[_One] = []
    wanted, refused = work.part.type, work.kept.report.refused
    for one in work.part.found:
        try:
            resource = structure.read(one.raw)
        except structure.Malformed as error:
            refused.append(refusal(work.part.file, one.at, "line", Refused(error.issues)))
            continue
        if wanted is not None and resource.get("resourceType") != wanted:
            what = f"resourceType: This file is of {wanted} only."
            refused.append(RefusedResource(work.part.file, one.at, one.id, [what]))
            continue
        found.append(_One(one, resource, one.id, one.raw))
    return found


async def _write_all(work: _Work, drafts: Sequence[tuple[_One, Draft]]) -> None:
    if not drafts:
        return
    try:
        _count(work, await _write(work.ctx, drafts))
    except BedsideError as error:
        if error.status >= 500:
            raise
        if len(drafts) > 1:
            middle = len(drafts) // 2
            await _write_all(work, drafts[:middle])
            await _write_all(work, drafts[middle:])
            return
        [(one, draft)] = drafts
        governed = isinstance(error, Conflict)
        if governed and await _stands(work.ctx, one):
            work.kept.report.elsewhere[draft.type] += 1
        elif governed or work.part.last:
            work.refuse(one, error)
        else:
            work.kept.waiting.append(one.found)


async def _stands(ctx: Ctx, one: _One) -> bool:
    """Whether what another room governs stands here as the file has it: then nothing is to be done."""
    try:
        async with access.work(ctx, "imported resources", readonly=True) as inner:
            here = (await reading.read(inner, type_of(one.resource), one.id)).resource
    except BedsideError:
        return False
    return _content(here) == _content(one.resource)


def _content(resource: dict[str, Any]) -> dict[str, Any]:
    """A resource as JSON says it, without what the server says of it."""
    whole = decode(encode(resource))
    meta = {k: v for k, v in (whole.pop("meta", None) or {}).items() if k not in ("versionId", "lastUpdated")}
    return {**whole, "meta": meta}


async def _not_elsewhere(work: _Work, batch: list[_One]) -> list[_One]:
    """The batch without what another room keeps already as the file has it: readings that an export took along.

    A reading that this installation never had comes as an Observation of the record, under an id of its own that a
    second import meets again: it is read and searched by FHIR, and no rule of monitoring judges it. One that stands
    here otherwise is left as it is, to be refused.
    """
    ids: dict[tuple[str, str], list[str]] = {}
    for one in batch:
        if (provider := _provider(one)) is not None:
            ids.setdefault((provider.type, provider.view), []).append(one.id)
    if not ids:
        return batch
    there: dict[tuple[str, str], dict[str, Any]] = {}
    readable: set[str] = set()
    async with access.work(work.ctx, "imported resources", readonly=True) as inner:
        for (type_, view), wanted in ids.items():
            if not await access.may(inner, None, "R", what=type_):
                continue  # who may not read them is not told which there are
            readable.add(type_)
            here = next(one for one in providers(type_) if one.view == view)
            for id_, resource in (await here.render(inner, wanted)).items():
                there[type_, id_] = resource
                patient = references.parse((resource.get("subject") or {}).get("reference", "")).id
                if patient is not None:
                    inner.trail.patients.setdefault(patient, set()).add("R")
    found: list[_One] = []
    for one in batch:
        provider = _provider(one)
        standing = there.get((provider.type, one.id)) if provider is not None else None
        if provider is None or provider.type not in readable:
            found.append(one)
        elif standing is None:
            found.append(_as_of_the_record(one))
        elif _content(standing) == _content(one.resource):
            work.kept.report.elsewhere[provider.type] += 1
        else:
            found.append(one)
    return found


def _provider(one: _One) -> ReadProvider | None:
    type_ = one.resource.get("resourceType")
    return provider_of(type_, one.id) if isinstance(type_, str) else None


FROM = "urn:x-bedside:reading"
"""The system of the identifier that says which reading an imported Observation was."""


def _as_of_the_record(one: _One) -> _One:
    id_ = "i" + hashlib.blake2b(one.id.encode(), digest_size=16).hexdigest()
    said = [*(one.resource.get("identifier") or ()), {"system": FROM, "value": one.id}]
    return one._replace(id=id_, resource={**one.resource, "id": id_, "identifier": said}, raw=None)


def _draft(one: _One) -> Draft:
    type_ = type_of(one.resource)
    if not references.is_id(one.id):
        raise Refused(structure.validate({**one.resource, "id": one.id}))
    issues = structure.validate(one.resource) if one.raw is None else structure.judge(one.resource, one.raw)
    if issues:
        raise Refused(issues)
    return Draft("put", type_, one.id, one.resource, checked=True)


async def _write(ctx: Ctx, drafts: Sequence[tuple[_One, Draft]]) -> list[Stored]:
    async def once() -> list[Stored]:
        async with access.work(ctx, "imported resources") as inner:
            for one, draft in drafts:
                if _may_ask(one.raw):
                    await _criteria(inner, draft)
            return await write(inner, [draft for _, draft in drafts], places=False)

    for _ in range(TRIES - 1):
        try:
            return await ctx.database.attempt(once)
        except Race:  # made meanwhile by somebody else: the next look finds it
            continue
    return await ctx.database.attempt(once)


def _may_ask(raw: bytes | None) -> bool:
    """Whether references by criteria may stand in a resource: looked for only where a question mark is."""
    return raw is None or b"?" in raw or b"\\u003" in raw


async def _criteria(ctx: Ctx, draft: Draft) -> None:
    """References by criteria become those of the resources that match."""
    if draft.resource is None:
        return
    places: dict[str, str] = {}
    for text in conditional_references(draft.resource):
        type_, _, criteria = text.partition("?")
        places[text] = (await searching.one(ctx, type_, criteria)).reference
    if places:
        draft.resource = resolved(draft.resource, places, draft.type)


def _count(work: _Work, stored: Sequence[Stored]) -> None:
    report = work.kept.report
    for one in stored:
        counter = report.made if one.created else report.changed if one.changed else report.same
        counter[one.type] += 1
