"""Many colleagues from a spreadsheet: a template, a look at every row, and only then their accounts."""

from __future__ import annotations

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from bedside import access
from bedside.foundation.errors import N_, BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.admin.people import links
from bedside.web.kit import page_of, render, told, translator


async def page(request: Request) -> Response:
    """GET /admin/people/import."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the import of colleagues", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        places = await access.places(ctx)
    return render(
        request,
        "admin/staff_list.html",
        error.status if error else 200,
        error=error,
        places=places,
        columns=access.staff_list.COLUMNS,
        most=access.staff_list.MOST,
        preview=None,
        text="",
    )


async def template(request: Request) -> Response:
    """GET: a list to fill in."""
    await access.require(ctx_of(request), "administrator")
    headers = {"content-disposition": 'attachment; filename="colleagues.csv"'}
    return Response(access.staff_list.template(), media_type="text/csv; charset=utf-8", headers=headers)


async def look(request: Request) -> Response:
    """POST a file: what each row would do. Nothing is written; the list travels on in the page's own form."""
    async with request.form() as form:
        sent = form.get("file")
        data = await sent.read() if isinstance(sent, UploadFile) else b""
    try:
        async with access.work(ctx_of(request), "looked through a list of staff", readonly=True) as ctx:
            preview = await access.staff_list.look(ctx, data)
    except Invalid as error:
        return await _page(request, error)
    wrong = preview.of("wrong")
    return render(
        request,
        "admin/staff_list.html",
        error=None,
        places=[],
        columns=(),
        most=0,
        preview=preview,
        rows=[_told(one, page_of(request).language) for one in (*wrong, *preview.of("new"), *preview.of("here"))],
        text=data.decode("utf-8-sig"),
    )


def _told(one: access.staff_list.Looked, language: str) -> tuple[access.staff_list.Looked, list[tuple[str, str]], str]:
    """A row, what is wrong with it by column, and what there is to know of it, in the reader's language."""
    faults = [(fault, told(fault, language)) for fault in one.row.faults]
    note = translator(language)(one.note) % dict(one.values) if one.note else ""
    return one, [(fault.where or "", f"{said.message} {said.remedy or ''}".strip()) for fault, said in faults], note


async def take(request: Request) -> Response:
    """POST: add those that were shown as new, and show their links."""
    data = str((await request.form()).get("list") or "").encode()
    try:
        async with access.work(ctx_of(request), "added colleagues from a list") as ctx:
            wrong = len((await access.staff_list.look(ctx, data)).of("wrong"))
            added = await access.staff_list.take(ctx, data)
            if not added:
                raise Conflict("Nobody of this list is new.", remedy="They are here already, or their rows are wrong.")
    except (Invalid, Conflict) as error:
        return await _page(request, error)
    return links(request, N_("Added, and the invitations are on their way"), added, wrong)
