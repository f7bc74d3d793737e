"""The body of a PATCH: JSON Patch, FHIRPath Patch as a Parameters resource, or a JSON Merge Patch."""

from starlette.requests import Request

from bedside.records.model.refusals import Refused
from bedside.records.routes.request import accepted, check_type, kind, raw_body
from bedside.records.routes.unsupported import Unsupported
from bedside.records.service import patching
from bedside.records.service.patching import Change

MOST_BYTES = 4 * 1024 * 1024
"""Of a patch: it is about one resource."""


async def change(request: Request) -> Change:
    """What the body asks for. Raises Unsupported, TooLarge, Refused."""
    said = kind(request)
    if said in patching.JSON_PATCH:
        return patching.by_json(await raw_body(request, MOST_BYTES))
    if said == "application/xml-patch+xml":
        raise Unsupported("XML is not spoken here.", where="Content-Type", remedy="Send application/json-patch+json.")
    if said in patching.MERGE_PATCH:
        return patching.by_merging(await raw_body(request, MOST_BYTES))
    check_type(request)
    raw = await raw_body(request, MOST_BYTES)
    made, issues = await accepted(raw)
    if said != "application/fhir+json" and "resourceType" not in made:
        return patching.by_merging(raw)  # no FHIR, but fhirpy and others patch so
    if issues:
        raise Refused(issues)
    return patching.by_path(made)
