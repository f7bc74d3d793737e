"""Whose record a page is about: a patient's own, the patient a caregiver chose, or the one that staff opened."""

from __future__ import annotations

from starlette.requests import Request

from bedside import access, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Forbidden

COOKIE = "for"
"""Which of several patients a caregiver acts for, on this browser."""


async def whose(request: Request, ctx: Ctx) -> tuple[str, str]:
    """The patient's id and name. Raises SignInNeeded, Forbidden when the asker is nobody's patient or caregiver."""
    if "id" in request.path_params:
        await access.require(ctx, "clinician", "nurse")
        id_ = request.path_params["id"]
        return id_, name_of(await records.read(ctx, "Patient", id_))
    await access.require(ctx, "patient", "caregiver")
    person = await access.person(ctx, ctx.actor.id)
    id_ = await _chosen(request, ctx) or person.patient or await _cared_for(request, ctx)
    name = name_of(await records.read(ctx, "Patient", id_))
    # Every page of somebody else's record says whose it is: the layout reads this.
    request.state.acting_for = name if id_ != person.patient else ""
    return id_, name


async def _chosen(request: Request, ctx: Ctx) -> str | None:
    """Whom a patient who also looks after somebody has chosen; by themselves pages are about their own record."""
    chosen = request.cookies.get(COOKIE)
    if not chosen or "caregiver" not in ctx.actor.roles:
        return None
    return chosen if chosen in (await access.visible(ctx) or ()) else None


async def _cared_for(request: Request, ctx: Ctx) -> str:
    mine = sorted(await access.visible(ctx) or ())
    if not mine:
        raise Forbidden(
            "Nobody has given you access to their record yet.",
            remedy="Ask the person you care for to let you in, or ring the clinic.",
        )
    chosen = request.cookies.get(COOKIE)
    return chosen if chosen in mine else mine[0]
