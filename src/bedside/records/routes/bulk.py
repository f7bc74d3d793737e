"""Bulk Data over HTTP (hl7.org/fhir/uv/bulkdata/STU2): what an operation began is looked at, fetched, cancelled.

GET       /bulk/{id}                                            202 with X-Progress, then 200 with the manifest
GET       /bulk/{id}/{file}                                     NDJSON
DELETE    /bulk/{id}                                            202: stops the work, drops the files
"""

from email.utils import format_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, NotFound
from bedside.foundation.http import ctx_of
from bedside.records.model.bulk import NDJSON, Made
from bedside.records.model.json import encode
from bedside.records.model.refusals import NotAllowed
from bedside.records.routes import ranges
from bedside.records.routes.answer import answer
from bedside.records.routes.request import Address
from bedside.records.service import bulk, shelf
from bedside.records.service.bulk import Job


async def look_after(request: Request, place: Address, method: str) -> Response:
    """The answer to a request about work that was asked for. Raises NotFound, Gone, NotAllowed."""
    match place.parts:
        case ["bulk", id_]:
            return await (_cancel(request, id_) if method == "DELETE" else _status(request, place, id_))
        case ["bulk", id_, name]:
            return await _file(request, id_, name)
    raise NotFound("There is nothing at this address.")


def _only(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise NotAllowed(f"Only {' and '.join(methods)} here.", where=request.method)


async def _status(request: Request, place: Address, id_: str) -> Response:
    _only(request, "GET", "HEAD")
    async with access.work(ctx_of(request), "looked at a bulk request", readonly=True) as inner:
        job, files = await bulk.look(inner, id_)
    if job.state == "working":
        return Response(None, 202, {"x-progress": _progress(job), "retry-after": str(bulk.POLL)})
    if job.state == "failed":
        raise BedsideError(job.why or "The work failed.", remedy="Ask again; the operator's log says more.")
    headers = {"expires": format_datetime(job.expires, usegmt=True)} if job.expires else {}
    return Response(encode(_manifest(place, job, files)), 200, headers, "application/json")


def _progress(job: Job) -> str:
    if job.kind == "import" and job.total:
        return f"{min(100, 100 * job.done // job.total)} % of {job.total >> 10} kB"
    if job.total:
        return f"{job.done} resources, about {min(99, 100 * job.done // job.total)} %"
    return "waiting to begin" if not job.done else f"{job.done} resources"


def _manifest(place: Address, job: Job, files: list[Made]) -> dict[str, Any]:
    parts: dict[str, list[dict[str, Any]]] = {"output": [], "deleted": [], "error": []}
    for one in files:
        if one.lines:
            item = {"type": one.type, "url": f"{place.base}/bulk/{job.id}/{one.name}", "count": one.lines}
            parts[one.part].append(item if one.part != "deleted" else {**item, "type": "Bundle"})
    made: dict[str, Any] = {
        "transactionTime": job.asked.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "request": job.request,
        "requiresAccessToken": True,
        **parts,
    }
    if job.kind == "import":
        kept, refused = job.place.get("kept", {}), job.place.get("refused", 0)
        made["extension"] = {"kept": kept, "refused": refused}
    return made


async def _file(request: Request, id_: str, name: str) -> Response:
    _only(request, "GET", "HEAD")
    ctx = ctx_of(request)
    async with access.work(ctx, "fetched a bulk file", readonly=True) as inner:
        job, made = await bulk.file(inner, id_, name)
    file = shelf.opened(ctx.database, id_, name)
    headers = {"content-type": NDJSON, "etag": f'"{id_}-{made.n}"'}
    if job.expires:
        headers["expires"] = format_datetime(job.expires, usegmt=True)
    return ranges.stream(request, made.size, headers, lambda start, length: shelf.chunks(file, start, length))


async def _cancel(request: Request, id_: str) -> Response:
    async def body(ctx: Ctx) -> None:
        async with access.work(ctx, "cancelled a bulk request") as inner:
            await bulk.cancel(inner, id_)

    await body(ctx_of(request))
    return answer(b"", 202)
