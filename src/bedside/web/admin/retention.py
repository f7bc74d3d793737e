"""For how long raw readings and waveforms are kept: seen, tried out, and set by the administrator."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, monitoring
from bedside.foundation.errors import N_, BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import render

KINDS = {"readings": N_("Readings (numbers)"), "waveforms": N_("Waveforms"), "notices": N_("Notices")}
FIELDS = ("thin_days", "delete_days", "reason")


async def page(request: Request) -> Response:
    """GET /admin/retention."""
    return await _page(request)


async def _page(
    request: Request,
    error: BedsideError | None = None,
    kind: str = "",
    typed: dict[str, str] | None = None,
    preview: monitoring.RetentionPreview | None = None,
) -> Response:
    """kind: whose form was sent."""
    async with access.work(ctx_of(request), "opened the retention", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        policies = {name: await monitoring.retention(ctx, name) for name in KINDS}
        runs = await monitoring.retention_runs(ctx)
    shown = {
        name: {
            "thin_days": "" if policy.thin_days is None else str(policy.thin_days),
            "delete_days": "" if policy.delete_days is None else str(policy.delete_days),
            "reason": "",
        }
        for name, policy in policies.items()
    }
    if typed is not None and kind in shown:
        shown[kind] = typed
    return render(
        request,
        "admin/retention.html",
        error.status if error else 200,
        kinds=KINDS,
        policies=policies,
        shown=shown,
        runs=runs,
        error=error,
        wrong=kind,
        preview=preview,
        done="set" in request.query_params,
    )


async def answer(request: Request) -> Response:
    """POST /admin/retention/{kind}: what it would do now; or, once that was read, hold it."""
    kind, form = request.path_params["kind"], await request.form()
    typed = {name: str(form.get(name) or "").strip() for name in FIELDS}
    try:
        thin_days, delete_days = _days(typed, "thin_days"), _days(typed, "delete_days")
        if form.get("do") != "set":
            async with access.work(ctx_of(request), "tried a retention out", readonly=True) as ctx:
                found = await monitoring.preview_retention(ctx, kind, thin_days, delete_days)
            return await _page(request, None, kind, typed, found)
        async with access.work(ctx_of(request), "set the retention") as ctx:
            await monitoring.set_retention(ctx, kind, thin_days, delete_days, typed["reason"])
    except Invalid as error:
        return await _page(request, error, kind, typed)
    return RedirectResponse("/admin/retention?set", 303)


def _days(typed: dict[str, str], name: str) -> int | None:
    """Days as typed, None for never. Raises Invalid."""
    text = typed[name]
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 6:
        raise Invalid("Write a whole number of days, or nothing.", where=name)
    return int(text)
