"""Patient operations: $match as R4 defines it, $merge in R5's shape (R4 has none), and $unmerge of our own.

Sources: hl7.org/fhir/R4/patient-operation-match.html, hl7.org/fhir/R5/patient-operation-merge.html.
"""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bedside import access
from bedside.fhir import references
from bedside.foundation.context import Ctx
from bedside.foundation.http import ctx_of
from bedside.records.model.json import decode, encode
from bedside.records.model.refusals import refuse
from bedside.records.routes.answer import NotAllowed, answer
from bedside.records.routes.request import Address, check_format, resource
from bedside.records.service import bundles, duplicates, merging

GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"
MOST = 100


async def take(request: Request, place: Address) -> Response | None:
    """The answer to one of these; None for all else."""
    operations = {"$match": _match, "$merge": _merge, "$unmerge": _unmerge}
    if len(place.parts) != 2 or place.parts[0] != "Patient" or place.parts[1] not in operations:
        return None
    if request.method != "POST":
        raise NotAllowed("Only POST here.", where=request.method)
    check_format(request, place.pairs)
    made = await resource(request)
    if made.get("resourceType") != "Parameters":
        raise refuse("value", "resourceType", "This takes Parameters.", status=400)
    given = {one.get("name"): one for one in made.get("parameter") or ()}
    return await operations[place.parts[1]](request, place, given)


async def _match(request: Request, place: Address, given: dict[str, Any]) -> Response:
    _known(given, {"resource", "onlyCertainMatches", "count"})
    asked = (given.get("resource") or {}).get("resource")
    if not isinstance(asked, dict) or asked.get("resourceType") != "Patient":
        raise refuse("required", "Parameters.parameter", "Give the Patient to be found, as `resource`.", status=400)
    count = (given.get("count") or {}).get("valueInteger", 20)
    if not isinstance(count, int) or count < 1:
        raise refuse("value", "count", "This is a number from 1.", status=400)
    certain = (given.get("onlyCertainMatches") or {}).get("valueBoolean") is True
    async with access.work(ctx_of(request), "looked for a patient", readonly=True) as inner:
        found = await duplicates.match(inner, asked, limit=min(count, MOST), only_certain=certain)
        now = inner.clock.now()
    bundle: dict[str, Any] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "meta": {"lastUpdated": bundles.instant(now)},
        "total": len(found),
    }
    entries = [
        {
            "fullUrl": f"{place.base}/{one.patient.reference}",
            "resource": decode(one.patient.body),
            "search": {
                "extension": [{"url": GRADE, "valueCode": one.likeness.grade}],
                "mode": "match",
                "score": one.likeness.score,
            },
        }
        for one in found
    ]
    return answer(encode({**bundle, "entry": entries} if entries else bundle))


def _known(given: dict[str, Any], names: set[str]) -> None:
    for name in given:
        if name not in names:
            where = f"Parameters.parameter.where(name='{str(name)[:40]}')"
            raise refuse("not-supported", where, f"This takes {', '.join(sorted(names))}.", status=400)


def _party(given: dict[str, Any], name: str) -> str:
    reference = ((given.get(name) or {}).get("valueReference") or {}).get("reference")
    found = references.parse(reference if isinstance(reference, str) else "")
    if found.type != "Patient" or found.id is None or found.server is not None:
        raise refuse("required", name, "Give a reference to a Patient of this record.", status=400)
    return found.id


async def _merge(request: Request, _: Address, given: dict[str, Any]) -> Response:
    _known(given, {"source-patient", "target-patient"})
    source, target = _party(given, "source-patient"), _party(given, "target-patient")
    ctx = ctx_of(request)

    async def once() -> dict[str, Any]:
        async with access.work(ctx, "merged two patients") as inner:
            return (await merging.merge(inner, source, target)).resource

    return _done(await ctx.database.attempt(once))


async def _unmerge(request: Request, _: Address, given: dict[str, Any]) -> Response:
    _known(given, {"source-patient"})
    source = _party(given, "source-patient")
    ctx: Ctx = ctx_of(request)

    async def once() -> dict[str, Any]:
        async with access.work(ctx, "took a merge of patients back") as inner:
            return (await merging.unmerge(inner, source)).resource

    return _done(await ctx.database.attempt(once))


def _done(patient: dict[str, Any]) -> Response:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "information", "code": "informational", "diagnostics": "It was done."}],
    }
    parts = [{"name": "outcome", "resource": outcome}, {"name": "result", "resource": patient}]
    return answer(encode({"resourceType": "Parameters", "parameter": parts}))
