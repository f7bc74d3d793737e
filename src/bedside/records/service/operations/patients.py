"""`Patient/$match` as R4 defines it, `$merge` in R5's shape (R4 has none), and `$unmerge` of our own.

Sources: hl7.org/fhir/R4/patient-operation-match.html, hl7.org/fhir/R5/patient-operation-merge.html.
"""

from typing import Any

from bedside.fhir import references
from bedside.fhir.issues import Issue, outcome
from bedside.foundation.context import Ctx
from bedside.records.model.json import decode, encode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service import bundles, duplicates, merging

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
MOST = 100


async def match(ctx: Ctx, call: Call) -> Reply:
    """A searchset of who may be meant, the likeliest first, each with score and grade. Raises Refused, Forbidden."""
    call.given.only("resource", "onlyCertainMatches", "count")
    asked = call.given.object("resource")
    if asked is None or asked.get("resourceType") != "Patient":
        raise refuse("required", "resource", "Give the Patient to be found, as `resource`.", status=400)
    count, certain = call.given.number("count", 1) or 20, call.given.flag("onlyCertainMatches") is True
    found = await duplicates.match(ctx, asked, limit=min(count, MOST), only_certain=certain)
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "meta": {"lastUpdated": bundles.instant(ctx.clock.now())},
        "total": len(found),
    }
    entries = [
        {
            "fullUrl": f"{call.base}/{one.patient.reference}",
            "resource": decode(one.patient.body),
            "search": {
                "extension": [{"url": GRADE, "valueCode": one.likeness.grade}],
                "mode": "match",
                "score": one.likeness.score,
            },
        }
        for one in found
    ]
    return Reply(encode({**bundle, "entry": entries} if entries else bundle))


async def merge(ctx: Ctx, call: Call) -> Reply:
    """Both linked, the target as it stands. Raises Refused, NotFound, Forbidden, Conflict."""
    call.given.only("source-patient", "target-patient")
    return _done(await merging.merge(ctx, _party(call, "source-patient"), _party(call, "target-patient")))


async def unmerge(ctx: Ctx, call: Call) -> Reply:
    """The merge taken back, the source as it stands. Raises Refused, NotFound, Forbidden."""
    call.given.only("source-patient")
    return _done(await merging.unmerge(ctx, _party(call, "source-patient")))


def _party(call: Call, name: str) -> str:
    reference = (call.given.object(name) or {}).get("reference")
    found = references.parse(reference if isinstance(reference, str) else "")
    if found.type != "Patient" or found.id is None or found.server is not None:
        raise refuse("required", name, "Give a reference to a Patient of this record.", status=400)
    return found.id


def _done(patient: Stored) -> Reply:
    told = outcome([Issue("information", "informational", "", "It was done.")])
    parts = [{"name": "outcome", "resource": told}, {"name": "result", "resource": patient.resource}]
    return Reply(encode({"resourceType": "Parameters", "parameter": parts}))
