"""Whose clinic this is: the administrator sees what is said of it on every page, and changes it."""

from __future__ import annotations

from zoneinfo import available_timezones

import msgspec
from babel import Locale
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import Clinic, page_of, render
from bedside.web.kit.languages import LANGUAGES


def shown(clinic: access.Clinic) -> Clinic:
    """As the pages' header and footer take it."""
    return Clinic(
        name=clinic.name,
        telephone=clinic.telephone,
        emergency=clinic.emergency,
        zone=clinic.zone,
        country=clinic.country,
        language=clinic.language,
        units=clinic.units,
        self_registration=clinic.self_registration,
    )


async def page(request: Request) -> Response:
    """GET /admin/clinic."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    async with access.work(ctx_of(request), "opened the clinic's own page", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        holds = await access.clinics.clinic(ctx)
    said = Locale(page_of(request).language).territories
    names = sorted(((code, str(said.get(code, code))) for code in access.clinics.countries()), key=lambda one: one[1])
    return render(
        request,
        "admin/clinic.html",
        error.status if error else 200,
        holds=holds,
        typed=typed or ({k: str(v) for k, v in msgspec.structs.asdict(holds).items()} if holds else {}),
        error=error,
        countries=[("", "–"), *names],
        zones=sorted(available_timezones()),
        languages=LANGUAGES,
        done="kept" in request.query_params,
    )


async def save(request: Request) -> Response:
    """POST: it holds at once, on every page; what is wrong is said beside its field."""
    form = await request.form()
    typed = {name: str(form.get(name) or "") for name in access.Clinic.__struct_fields__}
    try:
        async with access.work(ctx_of(request), "changed whose clinic this is") as ctx:
            await access.require(ctx, "administrator")
            said = msgspec.structs.replace(
                access.clinics.read(typed), self_registration=typed["self_registration"] == "True"
            )
            if said.language not in LANGUAGES:
                raise Invalid("Bedside does not speak this language yet.", where="language")
            kept = await access.clinics.set_clinic(ctx, said)
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    # The other processes look every few seconds.
    request.app.state.clinic = shown(kept)
    return RedirectResponse("/admin/clinic?kept", 303)
