"""Bulk Data over HTTP (hl7.org/fhir/uv/bulkdata/STU2): asked for, looked at, fetched, cancelled.

GET, POST /$export · /Patient/$export · /Group/{id}/$export     202, Content-Location: /bulk/{id}
POST      /$import                                              202, likewise
GET       /bulk/{id}                                            202 with X-Progress, then 200 with the manifest
GET       /bulk/{id}/{file}                                     NDJSON
DELETE    /bulk/{id}                                            202: stops the work, drops the files
"""

from collections.abc import AsyncIterator
from email.utils import format_datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bedside import access
from bedside.fhir import references
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, NotFound, TooLarge
from bedside.foundation.http import ctx_of
from bedside.records.model import bulk as model
from bedside.records.model.bulk import FORMATS, NDJSON, Made, Wish
from bedside.records.model.json import encode
from bedside.records.model.refusals import refuse
from bedside.records.routes import ranges
from bedside.records.routes.answer import answer
from bedside.records.routes.request import Address, check_format, prefer, resource
from bedside.records.service import bulk, import_job, shelf
from bedside.records.service.bulk import Job

MOST_POSTED = 1 << 30
"""Bytes of NDJSON that $import takes in one request."""
_TOO_LARGE = "An import takes at most %(most)s MB at once."


class NotAllowed(BedsideError):
    """The address is right, the method is not."""

    status, code = 405, "not-supported"


async def take(request: Request, place: Address) -> Response | None:
    """The answer to a request of Bulk Data; None when it is none."""
    match place.parts:
        case ["$export"]:
            return await _export(request, place, "system", None)
        case ["Patient", "$export"]:
            return await _export(request, place, "patient", None)
        case ["Group", id_, "$export"]:
            if not references.is_id(id_):
                raise NotFound("There is no such Group.")
            return await _export(request, place, "group", id_)
        case ["$import"]:
            return await _import(request, place)
        case ["bulk", id_]:
            return await (_cancel(request, id_) if request.method == "DELETE" else _status(request, place, id_))
        case ["bulk", id_, name]:
            return await _file(request, id_, name)
    return None


def _only(request: Request, *methods: str) -> None:
    if request.method not in methods:
        raise NotAllowed(f"Only {' and '.join(methods)} here.", where=request.method)


def _asynchronous(request: Request) -> None:
    said = ",".join(request.headers.getlist("prefer")).replace(";", ",")
    if "respond-async" not in [part.strip().lower() for part in said.split(",")]:
        raise refuse("required", "Prefer", "This is done in the background: send Prefer: respond-async.", status=400)


def _accepted(place: Address, id_: str) -> Response:
    return Response(None, 202, {"content-location": f"{place.base}/bulk/{id_}"})


def _asked(request: Request, place: Address) -> str:
    query = request.scope["query_string"].decode("ascii", "replace")
    return f"{place.base}/{'/'.join(place.parts)}" + (f"?{query}" if query else "")


async def _export(request: Request, place: Address, level: model.Level, group: str | None) -> Response:
    _only(request, "GET", "POST")
    check_format(request, place.pairs)
    pairs, posted = place.pairs, request.method == "POST"
    if posted:
        made = await resource(request)
        if made.get("resourceType") != "Parameters":
            raise refuse("value", "resourceType", "An export is asked for by Parameters.", status=400)
        pairs = [*pairs, *model.pairs_of(made)]
    ctx = ctx_of(request)

    async def understood() -> str:
        async with access.work(ctx, "asked for an export") as inner:
            bulk.of_a_client(inner)
            _asynchronous(request)
            wish: Wish = model.wish(level, group, pairs, strict=prefer(request).strict, posted=posted)
            return await bulk.ask_export(inner, wish, _asked(request, place))

    return _accepted(place, await understood())


async def _import(request: Request, place: Address) -> Response:
    _only(request, "POST")
    _asynchronous(request)
    ctx = ctx_of(request)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in FORMATS:
        return _accepted(place, await import_job.ask_posted(ctx, _asked(request, place), _bounded(request)))
    made = await resource(request)
    if made.get("resourceType") != "Parameters":
        raise refuse("value", "resourceType", f"An import is Parameters, or {NDJSON} itself.", status=400)
    async with access.work(ctx, "asked for an import") as inner:
        return _accepted(place, await import_job.ask_named(inner, _asked(request, place), made))


async def _bounded(request: Request) -> AsyncIterator[bytes]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_POSTED:
            raise TooLarge(_TOO_LARGE, remedy="Send it in parts.", most=MOST_POSTED >> 20)
        yield chunk


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
