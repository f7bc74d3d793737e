"""Whose a Binary is, and whether what attachments say of their bytes is true: asked before they are kept."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from bedside.fhir import references
from bedside.foundation.context import Ctx
from bedside.records.model import contents as model
from bedside.records.model import rows as indexing
from bedside.records.model.contents import Content
from bedside.records.model.json import decode
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service import scanning
from bedside.records.store import contents as store
from bedside.records.store import reading


class Written(Protocol):
    """A draft of a write, as far as this looks at it."""

    type: str
    id: str
    resource: dict[str, Any] | None


TYPES = frozenset({"Binary", "DocumentReference"})
"""The types that this looks at."""


async def of(ctx: Ctx, drafts: Sequence[Written]) -> dict[str, list[str]]:
    """Whose each Binary is, by its id: the patient that its securityContext names or belongs to.

    So that every door (read, history, search, export) gives it to those alone who may see that. Raises Refused for a
    context that is not there.
    """
    found: dict[str, list[str]] = {}
    for draft in drafts:
        if draft.type != "Binary" or not draft.resource:
            continue
        context = (draft.resource.get("securityContext") or {}).get("reference")
        if not isinstance(context, str):
            continue
        target = references.parse(context)
        if target.type is None or target.id is None or target.server is not None:
            raise refuse("value", "Binary.securityContext", "This names no resource of this record.")
        rid = indexing.rid(target.type, target.id)
        there = await store.patients_of(ctx.sql, ctx.tenant, [rid])
        beside = next((d for d in drafts if (d.type, d.id) == (target.type, target.id) and d.resource), None)
        if rid in there:
            found[draft.id] = there[rid]
        elif beside is not None:
            found[draft.id] = _patients_of(beside)
        elif target.type == "Patient":
            found[draft.id] = [target.id]  # as any reference: the site says whether its target must stand
        else:
            raise refuse("not-found", "Binary.securityContext", "The resource that this names is not there.")
    return found


def _patients_of(draft: Written) -> list[str]:
    if draft.type == "Patient":
        return [draft.id]
    resource = draft.resource or {}
    for name in ("subject", "patient"):
        type_, _, id_ = str((resource.get(name) or {}).get("reference", "")).partition("/")
        if type_ == "Patient" and id_:
            return [id_]
    return []


async def lift(ctx: Ctx, drafts: Sequence[Written]) -> dict[str, Content]:
    """Have a Binary's data that is long stand beside its row, in this transaction; the contents by the Binary's id."""
    found: dict[str, Content] = {}
    for draft in drafts:
        data = (draft.resource or {}).get("data") if draft.type == "Binary" else None
        if draft.resource is None or not isinstance(data, str) or len(data) <= model.base64_size(model.INLINE):
            continue
        raw = _decoded(data, "Binary.data")
        id_ = await store.begin(ctx.sql, ctx.tenant, ctx.clock.now())
        for n in range(0, len(raw), model.PIECE):
            await store.add(ctx.sql, id_, n // model.PIECE, raw[n : n + model.PIECE])
        digests = hashlib.sha256(raw).digest(), hashlib.sha1(raw, usedforsecurity=False).digest()
        content = await store.finish(ctx.sql, ctx.tenant, Content(id_, len(raw), *digests))
        draft.resource = model.told(draft.resource, content)
        found[draft.id] = content
    return found


async def show(ctx: Ctx, results: Sequence[Stored], found: Mapping[str, Content]) -> None:
    """The versions made of lifted Binaries show their contents."""
    for one in results:
        if one.type == "Binary" and one.changed and one.id in found:
            rid = indexing.rid(one.type, one.id)
            await store.show(ctx.sql, ctx.tenant, rid, one.version, found[one.id].id)


async def check(ctx: Ctx, drafts: Sequence[Written]) -> None:
    """What attachments say of their bytes must be true, and the site's scanners look at what comes within a resource.

    Attachment.hash is SHA-1 (hl7.org/fhir/R4/datatypes.html#Attachment). Raises Refused.
    """
    for draft in drafts:
        resource = draft.resource or {}
        if draft.type == "Binary" and isinstance(resource.get("data"), str):
            if scanning.scanners():
                await _scan_inline(resource["data"], str(resource.get("contentType")), "Binary.data")
        elif draft.type == "DocumentReference":
            for n, one in enumerate(resource.get("content") or ()):
                attachment = one.get("attachment") if isinstance(one, dict) else None
                if isinstance(attachment, dict):
                    await _check(ctx, attachment, f"DocumentReference.content[{n}].attachment")


async def _scan_inline(data: str, media: str, where: str) -> None:
    raw = _decoded(data, where)

    async def all_at_once() -> AsyncIterator[bytes]:
        yield raw

    await scanning.pass_(media, all_at_once, where)


def _decoded(data: str, where: str) -> bytes:
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        raise refuse("value", where, "This is not base64.") from None


async def _check(ctx: Ctx, attachment: dict[str, Any], where: str) -> None:
    data, size, digest = attachment.get("data"), attachment.get("size"), attachment.get("hash")
    found: tuple[int, bytes] | None = None
    if isinstance(data, str):
        raw = _decoded(data, f"{where}.data")
        found = len(raw), hashlib.sha1(raw, usedforsecurity=False).digest()
        if scanning.scanners():
            await _scan_inline(data, str(attachment.get("contentType")), f"{where}.data")
    else:
        found = await _referred(ctx, str(attachment.get("url", "")))
    if found is None:
        return
    if isinstance(size, int) and size != found[0]:
        raise refuse("value", f"{where}.size", "The content has another size.")
    if isinstance(digest, str) and _decoded(digest, f"{where}.hash") != found[1]:
        raise refuse("value", f"{where}.hash", "The content has another SHA-1.")


async def _referred(ctx: Ctx, url: str) -> tuple[int, bytes] | None:
    """Size and SHA-1 of a Binary of this record; None for what is elsewhere or not kept beside its row."""
    target = references.parse(url)
    if target.type != "Binary" or target.id is None or target.server is not None:
        return None
    row = await reading.current(ctx.sql, ctx.tenant, indexing.rid("Binary", target.id))
    if row is None or row["body"] is None:
        return None
    binary = decode(row["body"])
    if isinstance(binary.get("data"), str):
        raw = _decoded(binary["data"], "Binary.data")
        return len(raw), hashlib.sha1(raw, usedforsecurity=False).digest()
    digest = model.stated(binary)
    content = await store.shown(ctx.sql, ctx.tenant, row["rid"], row["version"], digest) if digest is not None else None
    return (content.size, content.sha1) if content else None
