"""/work: every kind of open work of the reader's roles; /work/{kind}: all of one; /work/count: how much
there is, for the pages they begin at."""

from __future__ import annotations

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.fhir.references import is_id
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render, translator
from bedside.web.work import ending
from bedside.web.work.item import Asked, Found, Item, Kind
from bedside.web.work.kinds import KINDS, ROLES

DONE = {
    "task": N_("The task is done"),
    "seen": N_("Marked as seen"),
    "again": N_("It is open again"),
    "signed": N_("The note is signed"),
    "thrown": N_("The draft is thrown away"),
    "noted": N_("Noted"),
    "reviewed": N_("Marked as reviewed"),
}


async def page(request: Request) -> Response:
    """GET /work."""
    async with access.work(ctx_of(request), "opened the work list", readonly=True) as ctx:
        groups = await open_work(request, ctx)
        ids = [item.patient for _, one in groups for item in one.items if item.patient]
        names = {id_: row.name for id_, row in (await records.named(ctx, ids)).items()}
    reader = page_of(request)
    done = next((name for name in DONE if name in request.query_params), None)
    return render(
        request,
        "work/list.html",
        groups=[(kind, one) for kind, one in groups if one.total],
        nothing=[kind for kind, one in groups if not one.total],
        names=names,
        total=sum(one.total for _, one in groups),
        late=_late(request, groups),
        today=reader.now.astimezone(reader.zone).date(),
        done=DONE[done] if done else None,
        back=_undo(done, request.query_params.get(done, "") if done else ""),
    )


async def kind_page(request: Request) -> Response:
    """GET /work/{kind}?after=…: all that is open of one kind, a page at a time."""
    kind = next((one for one in KINDS if one.key == request.path_params["kind"]), None)
    if kind is None:
        raise NotFound("There is no such kind of work.")
    after = request.query_params.get("after", "")
    async with access.work(ctx_of(request), "opened the work list", readonly=True) as ctx:
        await access.require(ctx, *sorted(kind.roles))
        reader = page_of(request)
        asked = Asked(ctx, reader, translator(reader.language), far=True, after=after)
        one = await kind.find(asked)
        if kind.key == "site":
            one = await _with_certificate(request, asked, one)
        names = await records.named(ctx, [item.patient for item in one.items if item.patient])
    if after and not one.items:
        return RedirectResponse(f"/work/{kind.key}", 303)
    return render(
        request,
        "work/kind.html",
        kind=kind,
        one=one,
        names={id_: row.name for id_, row in names.items()},
        today=reader.now.astimezone(reader.zone).date(),
        after=after,
    )


async def count(request: Request) -> Response:
    """GET /work/count: a fragment with the number, and how much of it is late."""
    async with access.work(ctx_of(request), "counted the open work", readonly=True) as ctx:
        groups = await open_work(request, ctx)
        if not ctx.trail.patients:
            # Of nobody was anything read: what it was looked for in is no event. Of whom something is open is one.
            ctx.trail.entities.clear()
    total = sum(one.total for _, one in groups)
    return render(request, "work/count.html", total=total, late=_late(request, groups))


async def open_work(request: Request, ctx: Ctx) -> list[tuple[Kind, Found]]:
    """Each kind that is the reader's by role, with what is open of it. Raises Forbidden for whom no kind concerns."""
    await access.require(ctx, *sorted(ROLES))
    reader = page_of(request)
    asked = Asked(ctx, reader, translator(reader.language))
    groups = [(kind, await kind.find(asked)) for kind in KINDS if kind.roles & ctx.actor.roles]
    return [(kind, await _with_certificate(request, asked, one) if kind.key == "site" else one) for kind, one in groups]


async def _with_certificate(request: Request, asked: Asked, one: Found) -> Found:
    """The site's certificate, where this installation holds it."""
    settings = getattr(request.app.state, "settings", None)
    ends = await ending.certificate(settings.home, asked.page.now) if settings is not None else None
    if ends is None:
        return one
    item = Item(asked.said(N_("The certificate of this installation ends")), "/admin/status", due=ends)
    return replace(one, items=one.items if asked.after else [item, *one.items], total=one.total + 1)


def _late(request: Request, groups: list[tuple[Kind, Found]]) -> int:
    reader = page_of(request)
    today = reader.now.astimezone(reader.zone).date()
    return sum(item.late(reader.now, today) for _, one in groups for item in one.items)


def _undo(done: str | None, of: str) -> str | None:
    """Where what was just done is taken back."""
    if done == "task" and of:
        return f"/work/tasks/{of}/again"
    if done == "seen" and of.count("/") == 1:
        return f"/results/{of}/again"
    if done == "thrown" and is_id(of):
        return f"/notes/{of}/again"
    if done == "noted" and is_id(of):
        return f"/visits/{of}/unnoted"
    if done == "reviewed" and is_id(of):
        return f"/admin/emergencies/{of}/again"
    return None


ROUTES: list[BaseRoute] = [Route("/work", page), Route("/work/count", count), Route("/work/{kind}", kind_page)]
