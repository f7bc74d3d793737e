"""A patient registered at the desk: looked for in the whole clinic first, then one ordinary Patient of the record.

/patients/new is where staff bring in whoever is not here yet. It shows who may be the same person before anything is
made, asks why it is somebody else, and ends at the chart, or at the link that invites the patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID, uuid5

from babel import Locale
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid, TooMany
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.web.clinician.duplicates import DETAILS, GRADES
from bedside.web.desk import form as desk
from bedside.web.desk import invite
from bedside.web.kit import page_of, render, told
from bedside.web.kit.languages import LANGUAGES

HERE = "/patients/new"
REGISTRARS = ("clinician", "nurse", "administrator")
MORE = ("place", "clinician", "invite", "reason", "seen", "form")


async def page(request: Request) -> Response:
    """GET: the empty form."""
    return await _page(request, _typed({}) | {"country": page_of(request).clinic.country})


def _typed(form: Mapping[str, object]) -> dict[str, str]:
    typed = desk.read(form) | {name: " ".join(str(form.get(name) or "").split())[:1000] for name in MORE}
    try:
        return typed | {"form": str(UUID(typed["form"]))}
    except ValueError:
        return typed | {"form": uuid7()}


def _id(typed: Mapping[str, str]) -> str:
    """The new record's id: of this form and of what was typed. Sent twice it makes one record; another person, typed
    into the same form after going back, is another one."""
    return str(uuid5(UUID(typed["form"]), "\n".join(typed[name] for name in desk.FIELDS)))


async def _page(
    request: Request,
    typed: dict[str, str],
    faults: Mapping[str, BedsideError] | None = None,
    likely: list[records.Likely] | None = None,
    error: BedsideError | None = None,
) -> Response:
    async with access.work(ctx_of(request), "opened the registration of a patient", readonly=True) as ctx:
        await access.require(ctx, *REGISTRARS)
        places = [one for one in await access.places(ctx) if one.kind != "pharmacy"]
        clinicians = await access.registering.clinicians(ctx)
    reader = page_of(request)
    faults = faults or {}
    status = next((one.status for one in faults.values()), 200)
    return render(
        request,
        "desk/register.html",
        error.status if error else 409 if likely and not faults else status,
        typed=typed,
        faults={field: told(one, reader.language) for field, one in faults.items()},
        likely=likely or [],
        numbered=any(one.numbered for one in likely or ()),
        error=error,
        places=places,
        clinicians=clinicians,
        genders=desk.GENDERS,
        details=DETAILS,
        grades=GRADES,
        caring=bool(reader.actor.roles & access.registering.CARING),
        today=reader.now.astimezone(reader.zone).date(),
        registered="registered" in request.query_params,
        **choices_of(reader.language),
    )


def choices_of(language: str) -> dict[str, list[tuple[str, str]]]:
    """The countries and languages of the form, in the reader's words; those that Bedside speaks come first."""
    words = Locale(language)
    countries = sorted(((c, str(words.territories.get(c, c))) for c in access.clinics.countries()), key=lambda c: c[1])
    tongues = sorted(((c, str(n)) for c, n in words.languages.items() if len(c) == 2), key=lambda c: c[1].lower())
    mine = [one for one in tongues if one[0] in LANGUAGES]
    others = [one for one in tongues if one[0] not in LANGUAGES]
    return {"countries": [("", "–"), *countries], "languages": [("", "–"), *mine, *others]}


async def register(request: Request) -> Response:
    """POST: what is wrong is said beside its field; whoever may be the same person is shown; then it is made."""
    await access.require(ctx_of(request), *REGISTRARS)
    form = await request.form()
    typed = _typed(form)
    reader = page_of(request)
    faults: dict[str, BedsideError] = dict(desk.faults(typed, reader.now.astimezone(reader.zone).date()))
    if faults:
        return await _page(request, typed, faults)
    new = "new" in form
    try:
        await access.limits.spend(ctx_of(request), "registering", ctx_of(request).actor.id)
        ctx = ctx_of(request).with_(reason=typed["reason"][:500] or None if new else None)
        async with access.work(ctx, "registered a patient") as inner:
            likely, said, invited = await _take_in(request, inner, typed, new=new)
    except (Invalid, TooMany, Conflict) as refused:
        if refused.where in {*desk.FIELDS, "place", "clinician"}:
            return await _page(request, typed, {str(refused.where): refused})
        return await _page(request, typed, error=refused)
    if likely:
        return await _page(request, typed, said, likely)
    if invited is not None:
        return invite.handed_over(request, _id(typed), invited)
    if reader.actor.roles & access.registering.CARING:
        return RedirectResponse(f"/patients/{_id(typed)}?registered", 303)
    return RedirectResponse(f"{HERE}?registered", 303)


async def _take_in(
    request: Request, ctx: Ctx, typed: dict[str, str], *, new: bool
) -> tuple[list[records.Likely], dict[str, BedsideError], access.invited.Invited | None]:
    """Make the record, once; or who may be the same person, and what is still to be said of that."""
    id_ = _id(typed)
    if not await access.registering.begin(ctx, id_):
        likely = await records.likely(ctx, desk.patient(typed), but=id_)
        if likely and (said := _unsettled(likely, typed, new=new)) is not None:
            return likely, said, None
        await records.create(ctx, desk.patient(typed), id=id_)
        await access.registering.take_in(ctx, id_, clinician=typed["clinician"] or None, place=typed["place"] or None)
    return [], {}, await _invited(request, ctx, typed) if typed["invite"] else None


async def _invited(request: Request, ctx: Ctx, typed: Mapping[str, str]) -> access.invited.Invited:
    return await invite.make(
        request,
        ctx,
        _id(typed),
        name=desk.name(typed),
        email=typed["email"],
        phone=typed["phone"],
        language=typed["language"],
    )


def _unsettled(likely: list[records.Likely], typed: dict[str, str], *, new: bool) -> dict[str, BedsideError] | None:
    """Why no record is made yet beside these people, by field; None: each was shown, and it is somebody else."""
    numbered = any(one.numbered for one in likely)
    seen, typed["seen"] = set(typed["seen"].split()), " ".join(one.row.id for one in likely)
    if numbered:
        return {"number": Conflict("Somebody has this number already.", remedy="Look at whom it leads to, above.")}
    if not new or not {one.row.id for one in likely} <= seen:
        return {}
    if not typed["reason"]:
        return {"reason": Invalid("Say how you know that it is somebody else.", where="reason")}
    return None


ROUTES: list[BaseRoute] = [Route(HERE, page), Route(HERE, register, methods=["POST"])]
