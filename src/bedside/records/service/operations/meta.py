"""`$meta`, `$meta-add`, `$meta-delete`: a resource's profiles, tags and security labels."""

from collections.abc import Callable
from typing import Any

from bedside.foundation.context import Ctx
from bedside.records.model.json import decode, encode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import refuse
from bedside.records.service import reading
from bedside.records.service.writing import Draft, write

LABELS = ("profile", "security", "tag")
Labels = list[Any]


async def meta(ctx: Ctx, call: Call) -> Reply:
    """The meta of a resource, or of one of its versions. Raises NotFound, Gone, Forbidden."""
    call.given.only()
    type_, id_ = str(call.type), str(call.id)
    if call.version is None:
        one = await reading.read(ctx, type_, id_)
    else:
        one = await reading.version(ctx, type_, id_, call.version)
    return _reply(decode(one.body))


async def add(ctx: Ctx, call: Call) -> Reply:
    """The labels added, as the next version; without one where all were there. Raises Conflict for what is governed."""
    return await _change(ctx, call, lambda had, given: had + [one for one in given if not _in(one, had)])


async def delete(ctx: Ctx, call: Call) -> Reply:
    """The labels taken away, as the next version; without one where none was there."""
    return await _change(ctx, call, lambda had, given: [one for one in had if not _in(one, given)])


def _in(one: Any, listed: Labels) -> bool:
    """A label is its system and code, whatever is displayed beside."""
    return any(_key(one) == _key(other) for other in listed)


def _key(one: Any) -> Any:
    return (one.get("system"), one.get("code")) if isinstance(one, dict) else one


async def _change(ctx: Ctx, call: Call, change: Callable[[Labels, Labels], Labels]) -> Reply:
    call.given.only("meta")
    given = call.given.object("meta")
    if given is None:
        raise refuse("required", "meta", "A meta is needed: Parameters.parameter of valueMeta.", status=400)
    standing = await reading.read(ctx, str(call.type), str(call.id))
    resource = decode(standing.body)
    labels = dict(resource.get("meta") or {})
    for name in LABELS:
        kept = change(labels.get(name) or [], given.get(name) or [])
        labels.pop(name, None)
        if kept:
            labels[name] = kept
    draft = Draft("put", standing.type, standing.id, {**resource, "meta": labels}, if_match=standing.version)
    (made,) = await write(ctx, [draft])
    return _reply(decode(made.body))


def _reply(resource: dict[str, Any]) -> Reply:
    found = {"name": "return", "valueMeta": resource.get("meta")}
    return Reply(encode({"resourceType": "Parameters", "parameter": [found]}))
