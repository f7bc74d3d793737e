"""/patients/waiting: who asks to be registered, compared with who is here, and answered: a new patient, one who is
here already, or nobody.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.clinician.duplicates import DETAILS, GRADES
from bedside.web.desk import form as desk
from bedside.web.desk import invite
from bedside.web.desk.register import REGISTRARS
from bedside.web.kit import page_of, render, told
from bedside.web.kit.places import N_

HERE = "/patients/waiting"
FIELDS = ("place", "clinician", "reason", "who", "answer")


async def listing(request: Request) -> Response:
    """GET: those who wait, the longest first."""
    async with access.work(ctx_of(request), "looked who asks to be registered", readonly=True) as ctx:
        found = await access.applying.waiting(ctx)
    return render(
        request,
        "desk/waiting.html",
        found=[(one, desk.name(one.said)) for one in found],
        caring=bool(page_of(request).actor.roles & access.registering.CARING),
        done="done" in request.query_params,
    )


async def page(request: Request) -> Response:
    """GET: one of them, beside who they may be."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, typed: dict[str, str] | None = None) -> Response:
    await access.require(ctx_of(request), *REGISTRARS)
    await access.limits.spend(ctx_of(request), "registering", ctx_of(request).actor.id)
    async with access.work(ctx_of(request), "looked at a request to be registered") as ctx:
        one = await access.applying.one(ctx, request.path_params["id"])
        likely = await records.likely(ctx, _patient(one), but=one.id)
        places = [place for place in await access.places(ctx) if place.kind != "pharmacy"]
        clinicians = await access.registering.clinicians(ctx)
    reader = page_of(request)
    return render(
        request,
        "desk/answer.html",
        error.status if error else 200,
        one=one,
        name=desk.name(one.said),
        genders=desk.GENDERS,
        likely=likely,
        mine=[(found.row.id, found.row) for found in likely if found.mine],
        places=places,
        clinicians=clinicians,
        details=DETAILS,
        grades=GRADES,
        typed=typed or dict.fromkeys(FIELDS, ""),
        faults={error.where: told(error, reader.language)} if error and error.where in FIELDS else {},
        error=error,
        caring=bool(reader.actor.roles & access.registering.CARING),
    )


def _patient(one: access.applying.Applicant) -> dict[str, object]:
    return desk.patient(dict.fromkeys(desk.FIELDS, "") | one.said)


async def answer(request: Request) -> Response:
    """POST: new, known or refused; each with how it is known, where somebody may be the same person or nobody is."""
    form = await request.form()
    typed = {name: " ".join(str(form.get(name) or "").split())[:500] for name in FIELDS}
    await access.require(ctx_of(request), *REGISTRARS)
    made = None
    try:
        if typed["answer"] not in {"new", "known", "refused"}:
            raise Invalid(N_("Choose one."), where="answer")
        ctx = ctx_of(request).with_(reason=typed["reason"] or None)
        async with access.work(ctx, "answered a request to be registered") as inner:
            one = await access.applying.one(inner, request.path_params["id"])
            if typed["answer"] != "refused":
                made = await _take_in(request, inner, one, typed)
            elif not typed["reason"]:
                raise Invalid(N_("Say why."), where="reason")
            await access.applying.decide(inner, one.id, typed["answer"])  # type: ignore[arg-type]
    except (Invalid, Conflict) as error:
        return await _page(request, error, typed)
    if made is not None:
        return invite.handed_over(request, made.person.patient or "", made)
    return RedirectResponse(f"{HERE}?done", 303)


async def _take_in(
    request: Request, ctx: Ctx, one: access.applying.Applicant, typed: dict[str, str]
) -> access.invited.Invited:
    """A record of their own, or the one that is theirs already; and the link to it, by the e-mail they confirmed."""
    likely = await records.likely(ctx, _patient(one), but=one.id)
    if typed["answer"] == "known":
        if typed["who"] not in {found.row.id for found in likely if found.mine}:
            raise Invalid(N_("Choose whose record it is."), where="who")
        if not typed["reason"]:
            # Whoever typed these details is not yet whose they are: the link opens a record with a past.
            raise Invalid(N_("Say how you made sure that it is them."), where="reason")
        id_ = typed["who"]
        name = name_of(await records.read(ctx, "Patient", id_))
    else:
        if likely and not typed["reason"]:
            raise Invalid(N_("Say how you know that it is somebody else."), where="reason")
        id_, name = uuid7(), desk.name(one.said)
        await records.create(ctx, _patient(one), id=id_)
        await access.registering.take_in(ctx, id_, clinician=typed["clinician"] or None, place=typed["place"] or None)
    return await invite.make(
        request,
        ctx,
        id_,
        name=name,
        email=one.said["email"],
        phone=one.said.get("phone"),
        language=one.said.get("language", ""),
    )


ROUTES: list[BaseRoute] = [
    Route(HERE, listing),
    Route(f"{HERE}/{{id}}", page),
    Route(f"{HERE}/{{id}}", answer, methods=["POST"]),
]
