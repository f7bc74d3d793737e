"""/patients/{id}/care: who takes care of a patient and where they are watched, changed after they were registered."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.fhir.names import name_of
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render, told
from bedside.web.kit.places import N_

FIELDS = ("person", "place", "bed")
DONE = {
    "given": N_("They are in this colleague's care from now on"),
    "ended": N_("They are in this colleague's care no longer"),
    "watched": N_("They are watched there from now on"),
    "left": N_("They are watched there no longer"),
}


async def page(request: Request) -> Response:
    """GET."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    patient = request.path_params["id"]
    async with access.work(ctx_of(request), "looked who takes care of a patient", readonly=True) as ctx:
        name = name_of(await records.read(ctx, "Patient", patient))
        carers = await access.caring.carers(ctx, patient)
        stays = await access.caring.stays(ctx, patient)
        colleagues = await access.caring.colleagues(ctx)
        places = {one.id: one for one in await access.places(ctx) if one.kind != "pharmacy"}
    mine = {one.person.id for one in carers if one.until is None}
    return render(
        request,
        "desk/care.html",
        error.status if error else 200,
        patient=patient,
        name=name,
        carers=carers,
        stays=stays,
        places=places,
        colleagues=[one for one in colleagues if one.id not in mine],
        typed=typed or dict.fromkeys(FIELDS, ""),
        faults={error.where: told(error, page_of(request).language)} if error and error.where in FIELDS else {},
        error=error,
        done=next((DONE[word] for word in DONE if word in request.query_params), None),
    )


async def change(request: Request) -> Response:
    """POST: give, end, watch or leave."""
    patient, deed, form = request.path_params["id"], request.path_params["deed"], await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split())[:100] for name in FIELDS}
    here = f"/patients/{patient}/care"
    try:
        async with access.work(ctx_of(request), "changed who takes care of a patient, and where") as ctx:
            match deed:
                case "give":
                    await access.caring.take_over(ctx, patient, typed["person"])
                    done = "given"
                case "end":
                    await access.caring.end_care(ctx, patient, typed["person"])
                    done = "ended"
                case "watch":
                    await access.caring.watch(ctx, patient, typed["place"], typed["bed"])
                    done = "watched"
                case "leave":
                    await access.caring.unwatch(ctx, patient, typed["place"])
                    done = "left"
                case _:
                    raise Invalid(N_("There is no such step."))
    except (Conflict, Invalid) as error:
        return await _page(request, error, typed)
    if done == "ended" and typed["person"] == ctx_of(request).actor.id:
        return RedirectResponse("/patients", 303)  # the page may be theirs to see no longer
    return RedirectResponse(f"{here}?{done}", 303)


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/care", page),
    Route("/patients/{id}/care/{deed}", change, methods=["POST"]),
]
