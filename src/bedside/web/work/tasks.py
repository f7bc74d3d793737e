"""A task of one's own is done, or open again."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, Conflict, Forbidden
from bedside.foundation.http import ctx_of


async def done(request: Request) -> Response:
    """POST /work/tasks/{task}/done; twice is once."""
    id_ = request.path_params["task"]
    async with access.work(ctx_of(request), "finished a task") as ctx:
        await _move(ctx, id_, "completed")
    return RedirectResponse(f"/work?task={id_}#tasks", 303)


async def again(request: Request) -> Response:
    """POST /work/tasks/{task}/again: it was not done after all."""
    async with access.work(ctx_of(request), "opened a task again") as ctx:
        await _move(ctx, request.path_params["task"], "requested")
    return RedirectResponse("/work?again#tasks", 303)


async def _move(ctx: Ctx, id_: str, status: str) -> None:
    """Raises Forbidden for a task of somebody else, Conflict for one that was cancelled."""
    await access.require(ctx, "clinician", "nurse")
    task = await records.read(ctx, "Task", id_)
    if not ctx.actor.reference or (task.get("owner") or {}).get("reference") != ctx.actor.reference:
        raise Forbidden(N_("This task is somebody else's."))
    if task["status"] == status:
        return
    if task["status"] in {"cancelled", "rejected", "failed", "entered-in-error"}:
        raise Conflict(N_("This task is over already."))
    version = int(task["meta"]["versionId"])
    kept = {name: value for name, value in task.items() if name != "meta"}
    kept |= {"status": status, "lastModified": ctx.clock.now().isoformat()}
    await records.update(ctx, kept, if_match=version)


ROUTES: list[BaseRoute] = [
    Route("/work/tasks/{task}/done", done, methods=["POST"]),
    Route("/work/tasks/{task}/again", again, methods=["POST"]),
]
