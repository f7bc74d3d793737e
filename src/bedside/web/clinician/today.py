"""Staff home: what waits for this person now, worst first. Each part is there once its room has one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, monitoring, prescribing, records, visits
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.http import ctx_of
from bedside.web.kit import render
from bedside.web.wall.words import cause_of, value_of

SHOWN = 12
SHOWN_NAMES = 3


@dataclass(frozen=True, slots=True)
class Trouble:
    """One kind of trouble with devices since somebody last saw it: how many devices, whose, and when last."""

    says: str
    devices: int
    patients: tuple[str, ...]
    last_at: datetime


def told_apart(events: Sequence[monitoring.TechnicalEvent]) -> list[Trouble]:
    """One line a kind, the newest first: forty late devices are one thing to look at, not forty."""
    kinds: dict[str, list[monitoring.TechnicalEvent]] = {}
    for event in events:
        kinds.setdefault(event.says, []).append(event)
    return sorted(
        (
            Trouble(
                says,
                len({e.device for e in found}),
                tuple(dict.fromkeys(e.patient for e in found if e.patient)),
                max(e.last_at for e in found),
            )
            for says, found in kinds.items()
        ),
        key=lambda trouble: trouble.last_at,
        reverse=True,
    )


async def page(request: Request) -> Response:
    """Who waits, open alarms, unsigned notes and devices in trouble, of the patients in this person's care."""
    async with access.work(ctx_of(request), "opened today", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        alarms = await monitoring.alarms(ctx)
        off = not await monitoring.alarms_on(ctx)
        late = await monitoring.late_findings(ctx)
        events = await monitoring.technical_events(ctx)
        letters = await messaging.threads.waiting(ctx)
        now = ctx.clock.now()
        waiting = [v for v in await visits.mine(ctx) if v.open and not v.early(now)]
        unsigned = await visits.notes.unsigned(ctx) if "clinician" in ctx.actor.roles else []
        refills = await prescribing.refills_to_answer(ctx) if "clinician" in ctx.actor.roles else []
        refused = await prescribing.refused(ctx) if "clinician" in ctx.actor.roles else []
        concerned = [one.patient for part in (alarms, late, refills) for one in part[:SHOWN]]
        concerned += [v.patient for v in (*waiting, *unsigned[:SHOWN])]
        concerned += [rx.draft.patient for rx in refused[:SHOWN]]
        troubles = told_apart([event for event in events if not event.routine])
        concerned += [p for trouble in troubles for p in trouble.patients[:SHOWN_NAMES]]
        names = await names_of(ctx, concerned)
        places = {p.id: p.name for p in await access.places(ctx, closed=True)}
        duties = [d for d in await _duties(ctx) if d.person == ctx.actor.id]
        unreached, _ = await messaging.to_see_to(ctx)
        calls = await access.calling.how_many(ctx)
    return render(
        request,
        "clinician/today.html",
        alarms=alarms,
        letters=letters,
        off=off,
        late=late,
        undo_of=_id(request.query_params.get("seen", "")),
        shown=SHOWN,
        names=names,
        troubles=troubles,
        shown_names=SHOWN_NAMES,
        waiting=waiting,
        unsigned=unsigned,
        refills=refills,
        refused=refused,
        duties=duties,
        unreached=unreached,
        calls=calls,
        place_names=places,
        cause=cause_of,
        value_of=value_of,
    )


def _id(text: str) -> str:
    """What was just seen to, and may be taken back; nothing for what is no id."""
    try:
        return str(UUID(text))
    except ValueError:
        return ""


async def names_of(ctx: Ctx, patients: list[str]) -> dict[str, str]:
    """Names by patient id, each read once."""
    return {id_: name_of(await records.read(ctx, "Patient", id_)) for id_ in dict.fromkeys(patients)}


async def seen(request: Request) -> Response:
    """POST: a late finding is seen to."""
    note = str((await request.form()).get("note") or "")
    async with access.work(ctx_of(request), "saw to a late finding") as ctx:
        await monitoring.late_finding_seen(ctx, request.path_params["finding"], note)
    return RedirectResponse(f"/today?seen={request.path_params['finding']}#late", 303)


async def unseen(request: Request) -> Response:
    """POST: that was a slip; it stands on the list again."""
    async with access.work(ctx_of(request), "took back that a late finding was seen to") as ctx:
        await monitoring.late_finding_unseen(ctx, request.path_params["finding"])
    return RedirectResponse("/today#late", 303)


async def _duties(ctx: Ctx) -> list[access.Duty]:
    return await access.on_duty(ctx, place=None, role=None, at=ctx.clock.now())


ROUTES: list[BaseRoute] = [
    Route("/today", page),
    Route("/late/{finding}/seen", seen, methods=["POST"]),
    Route("/late/{finding}/unseen", unseen, methods=["POST"]),
]
