"""`Composition/[id]/$document`: the composition and all that it refers to, as one Bundle to hand on."""

from collections.abc import Iterable
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from bedside.fhir import references
from bedside.fhir.issues import Issue
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Gone, NotFound
from bedside.records.model.json import decode, encode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import Refused, refuse
from bedside.records.service import reading
from bedside.records.service.bundles import instant

MOST = 2000
"""Resources of one document."""


async def document(ctx: Ctx, call: Call) -> Reply:
    """A Bundle of type document. Raises NotFound, Forbidden, Refused when a part is not there: half a document would
    be taken for a whole one."""
    call.given.only("persist", "graph")
    if call.given.flag("persist"):
        raise refuse("not-supported", "persist", "Keep the answer by a POST to Bundle.", status=400)
    if "graph" in call.given:
        raise refuse("not-supported", "graph", "Only what the composition refers to is taken in.", status=400)
    first = await reading.read(ctx, "Composition", str(call.id))
    composition = decode(first.body)
    found = {first.reference: first.body}
    missing: list[Issue] = []
    for where, text in pointers(composition, "Composition"):
        target = references.parse(text, bases=(f"{call.base}/",))
        if target.local is None or target.local in found:
            continue
        if len(found) >= MOST:
            raise refuse("too-costly", where, f"A document has at most {MOST} resources.", status=422)
        try:
            part = await _part(ctx, target)
        except (NotFound, Gone):
            missing.append(Issue("error", "not-found", where, "What the document refers to here is not in the record."))
            continue
        found[target.local] = part
    if missing:
        raise Refused(missing, status=422)
    made = bundle(call.base, [(f"{call.base}/{name}", body) for name, body in found.items()], ctx)
    return Reply(made)


async def _part(ctx: Ctx, target: references.Reference) -> bytes:
    type_, id_ = str(target.type), str(target.id)
    if target.version is not None and target.version.isdecimal():
        return (await reading.version(ctx, type_, id_, int(target.version))).body
    return (await reading.read(ctx, type_, id_)).body


def pointers(node: Any, path: str) -> Iterable[tuple[str, str]]:
    """Every reference below, with its place, in the order of the document."""
    if isinstance(node, list):
        for n, one in enumerate(node):
            yield from pointers(one, f"{path}[{n}]")
    elif isinstance(node, dict):
        text = node.get("reference")
        if isinstance(text, str):
            yield path, text
        for name, value in node.items():
            if isinstance(value, dict | list) and name != "contained":
                yield from pointers(value, f"{path}.{name}")


def bundle(base: str, entries: Iterable[tuple[str, bytes]], ctx: Ctx) -> bytes:
    """A document of resources by their full URLs, the composition first."""
    listed = list(entries)
    now = instant(ctx.clock.now())
    name = uuid5(NAMESPACE_URL, f"{base} {listed[0][0]} {now}")
    head = encode(
        {
            "resourceType": "Bundle",
            "meta": {"lastUpdated": now},
            "identifier": {"system": "urn:ietf:rfc:3986", "value": f"urn:uuid:{name}"},
            "type": "document",
            "timestamp": now,
        }
    )
    parts = [b'{"fullUrl":%s,"resource":%s}' % (encode(url), body) for url, body in listed]
    return head[:-1] + b',"entry":[' + b",".join(parts) + b"]}"
