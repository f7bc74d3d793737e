"""Contents of Binaries: taken in and given out piece by piece, hashed, let pass by the site's scanner.

A piece is a row, kept while the rest is on its way; a content becomes whole in the transaction that keeps the Binary.
No file stands beside the database: a backup of it holds everything, or nothing, of each content.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import TooLarge
from bedside.records.model import contents as model
from bedside.records.model import rows as indexing
from bedside.records.model.contents import MOST, PIECE, Content
from bedside.records.model.stored import Stored
from bedside.records.service import contexts, reading, scanning
from bedside.records.service.writing import Draft, write
from bedside.records.store import contents as store

UNFINISHED = timedelta(hours=24)
"""How long pieces of a content that never became whole are kept."""
_DATA = b',"data":"'


async def take(ctx: Ctx, body: AsyncIterator[bytes]) -> Content:
    """Keep the pieces of a content as they come. Not whole yet. ctx: without a transaction. Raises TooLarge."""
    sha256, sha1, size, n = hashlib.sha256(), hashlib.sha1(usedforsecurity=False), 0, 0
    waiting = bytearray()
    async with ctx.database.transaction() as sql:
        id_ = await store.begin(sql, ctx.tenant, ctx.clock.now())
    try:
        async for chunk in body:
            size += len(chunk)
            if size > MOST:
                raise TooLarge("A Binary holds at most %(most)s MB.", most=MOST >> 20)
            sha256.update(chunk)
            sha1.update(chunk)
            waiting += chunk
            while len(waiting) >= PIECE:
                await _piece(ctx, id_, n, bytes(waiting[:PIECE]))
                del waiting[:PIECE]
                n += 1
        if waiting:
            await _piece(ctx, id_, n, bytes(waiting))
    except BaseException:
        await drop(ctx, id_)
        raise
    return Content(id_, size, sha256.digest(), sha1.digest())


async def _piece(ctx: Ctx, content: int, n: int, part: bytes) -> None:
    async with ctx.database.transaction() as sql:
        await store.add(sql, content, n, part)


async def drop(ctx: Ctx, content: int) -> None:
    """A content that nothing will show goes."""
    async with ctx.database.transaction() as sql:
        await store.drop(sql, content)


async def inspect(ctx: Ctx, content: Content, media: str) -> None:
    """Have the site's scanners look. Raises Refused."""
    await scanning.pass_(media, lambda: parts(ctx, content, 0, content.size), "Binary.data")


async def keep(ctx: Ctx, draft: Draft, content: Content) -> Stored:
    """Keep the Binary, its content whole from now on. In ctx's transaction."""
    whole = await store.finish(ctx.sql, ctx.tenant, content)
    draft.resource = model.told(draft.resource or {}, whole)
    [stored] = await write(ctx, [draft])
    if stored.changed:
        await store.show(ctx.sql, ctx.tenant, indexing.rid("Binary", stored.id), stored.version, whole.id)
    return stored


async def of(ctx: Ctx, binary: Stored) -> Content | None:
    """The content beside a version that was read; None where the row itself holds the data, or there is none."""
    resource = binary.resource
    digest = model.stated(resource)
    if digest is None or "data" in resource:
        return None
    return await store.shown(ctx.sql, ctx.tenant, indexing.rid("Binary", binary.id), binary.version, digest)


async def content(ctx: Ctx, id: str) -> bytes:  # noqa: A002
    """All bytes of a Binary's current version, for who may read it. Raises NotFound, Gone, Forbidden."""
    one = await reading.read(ctx, "Binary", id)
    beside = await of(ctx, one)
    if beside is not None:
        return b"".join([part async for part in parts(ctx, beside, 0, beside.size)])
    return base64.b64decode("".join(str(one.resource.get("data", "")).split()))


async def parts(ctx: Ctx, content: Content, start: int, length: int) -> AsyncIterator[bytes]:
    """The bytes from one on, so many, a piece at a time; each takes a connection only while it is read."""
    n, skip = divmod(start, PIECE)
    while length > 0:
        async with ctx.database.connection() as sql:
            found = await store.piece(sql, content.id, n)
        if found is None:
            raise EOFError("a piece of a content is missing")
        part = found[skip : skip + length]
        length -= len(part)
        n, skip = n + 1, 0
        yield part


def json_size(body: bytes, content: Content) -> int:
    """Bytes of what as_json gives."""
    return len(body) + len(_DATA) + model.base64_size(content.size) + 1


async def as_json(ctx: Ctx, body: bytes, content: Content) -> AsyncIterator[bytes]:
    """A Binary's JSON with its data, which is never whole in memory."""
    encode_part, end = model.base64_parts()
    yield body[:-1] + _DATA
    async for part in parts(ctx, content, 0, content.size):
        yield encode_part(part)
    yield end() + b'"}'


async def sweep(ctx: Ctx, _: dict[str, Any]) -> None:
    """Contents that were begun and never finished go."""
    async with ctx.database.transaction() as sql:
        await store.sweep(sql, ctx.clock.now() - UNFINISHED)


async def authorise(ctx: Ctx, resource: dict[str, Any], actions: str) -> None:
    """Raise before anything is taken in, where the asker may do none of the actions with this Binary."""
    patients = (await contexts.of(ctx, [Draft("create", "Binary", "x", resource)])).get("x", [])
    whose: list[str | None] = [*patients] or [None]
    for patient in whose:
        for action in actions[:-1]:
            if await access.may(ctx, patient, action, what="Binary"):
                break
        else:
            await access.authorise(ctx, patient, actions[-1], what="Binary")
