"""The body of a PATCH: JSON Patch, or FHIRPath Patch as a Parameters resource."""

from starlette.requests import Request

from bedside.records.routes.request import kind, raw_body, resource
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
    return patching.by_path(await resource(request, MOST_BYTES))
