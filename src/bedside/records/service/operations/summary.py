"""`Patient/[id]/$summary`: the International Patient Summary, made of what stands in the record now."""

from typing import Any
from uuid import uuid4

from bedside import access
from bedside.fhir import ips, references
from bedside.fhir.ips import Empty, Filled, Section, Source
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Gone, NotFound
from bedside.records.model.json import decode, encode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import refuse
from bedside.records.service import reading, searching
from bedside.records.service.operations import document, lastn

MOST = 200
"""Resources of one source; that there are more is said."""
_NEEDED = frozenset({"Medication", "Device", "Organization", "Practitioner"})
"""Without these an entry is not understood: they come along."""


async def summary(ctx: Ctx, call: Call) -> Reply:
    """A Bundle of type document. Raises NotFound, Forbidden, Refused for another profile than IPS's."""
    call.given.only("profile")
    if call.given.text("profile") not in (None, f"{ips.PROFILE}Bundle-uv-ips"):
        raise refuse("not-supported", "profile", "Summaries are made by the International Patient Summary.", status=400)
    id_ = str(call.id)
    patient = await reading.read(ctx, "Patient", id_)
    filled = [await _filled(ctx, id_, section) for section in ips.sections()]
    entries: dict[str, bytes] = {}
    for one in filled:
        for resource in one.resources:
            entries[f"{resource['resourceType']}/{resource['id']}"] = encode(resource)
    for resource in [resource for one in filled for resource in one.resources]:
        await _beside(ctx, id_, resource, entries)
    name, author = f"urn:uuid:{uuid4()}", f"urn:uuid:{uuid4()}"
    made = ips.composition(
        filled,
        id_=name.removeprefix("urn:uuid:"),
        patient=f"{call.base}/{patient.reference}",
        author=author,
        now=ctx.clock.now(),
        base=call.base,
    )
    whole = [
        (name, encode(made)),
        (f"{call.base}/{patient.reference}", patient.body),
        (author, encode(_author(author.removeprefix("urn:uuid:")))),
        *((f"{call.base}/{reference}", body) for reference, body in entries.items()),
    ]
    return Reply(document.bundle(call.base, whole, ctx))


def _author(id_: str) -> dict[str, Any]:
    """The program: it puts together what people recorded."""
    return {
        "resourceType": "Device",
        "id": id_,
        "deviceName": [{"name": "Bedside", "type": "user-friendly-name"}],
        "type": {"text": "Software that made this summary from the record"},
    }


async def _filled(ctx: Ctx, patient: str, section: Section) -> Filled:
    found: list[dict[str, Any]] = []
    more, hidden = False, False
    for source in section.sources:
        if not await access.may(ctx, patient, "R", what=source.type):
            hidden = True
            continue
        resources, rest = await _found(ctx, patient, source)
        found += resources
        more = more or rest
    empty: Empty = "withheld" if hidden else "unavailable"
    if section.required and not found and not hidden and await _none_known(ctx, patient, section):
        empty = "nilknown"
    return Filled(section, found, empty, more)


async def _found(ctx: Ctx, patient: str, source: Source) -> tuple[list[dict[str, Any]], bool]:
    pairs = [("patient", patient), *searching.pairs_of(source.query), ("_count", str(MOST))]
    query = searching.parse(source.type, pairs)
    if source.newest:
        kinds = await lastn.newest(ctx, query, 1)
        return [decode(one.body) for kind in kinds for one in kind], False
    page = await searching.run(ctx, query)
    found = [decode(one.body) for one in page.matches]
    kept = [one for one in found if not source.statuses or one.get("status") in source.statuses]
    return kept, page.next is not None


async def _none_known(ctx: Ctx, patient: str, section: Section) -> bool:
    if not await access.may(ctx, patient, "R", what="List"):
        return False
    pairs = [("patient", patient), ("code", section.code), ("status", "current"), ("_sort", "-date"), ("_count", "1")]
    page = await searching.search(ctx, "List", pairs)
    return ips.none_known([decode(one.body) for one in page.matches])


async def _beside(ctx: Ctx, patient: str, resource: dict[str, Any], entries: dict[str, bytes]) -> None:
    for _, text in document.pointers(resource, ""):
        target = references.parse(text)
        if target.local is None or target.type not in _NEEDED or target.local in entries:
            continue
        whose = patient if target.type == "Device" else None
        if not await access.may(ctx, whose, "R", what=str(target.type)):
            continue
        try:
            entries[target.local] = (await reading.read(ctx, str(target.type), str(target.id))).body
        except (NotFound, Gone):
            continue  # the entry stands without it, as in the record
