"""Somebody leaves: what they have in hand is shown first, then handed on and their account ended, all or nothing."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, messaging, monitoring, orders, prescribing, visits
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Conflict, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.admin.people import colleague
from bedside.web.kit import page_of, render


@dataclass(frozen=True, slots=True)
class Hand:
    """What somebody has in hand, room by room: counts, no patients."""

    ends: access.InHand
    alarms: int
    visiting: visits.VisitsInHand
    tasks: int
    prescribed: prescribing.RefillsInHand
    talks: int

    @property
    def any(self) -> bool:
        """Whether any of it needs somebody who takes care of patients."""
        notes = self.visiting.any or self.visiting.drafts
        return bool(notes or self.alarms or self.tasks or self.prescribed.any or self.talks or self.ends.patients)


async def hand_of(ctx: Ctx, who: access.Person) -> Hand:
    """An administrator's. Raises Forbidden."""
    return Hand(
        await access.in_hand(ctx, who.id),
        await monitoring.alarms_held(ctx, who.id),
        await visits.in_hand(ctx, who),
        await orders.tasks.in_hand(ctx, who),
        await prescribing.in_hand(ctx, who.id),
        await messaging.threads.held(ctx, who.id),
    )


async def page(request: Request) -> Response:
    """GET /admin/people/{person}/leave: counts of what waits, no patient."""
    return await _page(request)


async def _page(request: Request, error: BedsideError | None = None, to: str = "") -> Response:
    async with access.work(ctx_of(request), "looked what somebody has in hand", readonly=True) as ctx:
        who = await colleague(ctx, request.path_params["person"])
        if not who.active:
            raise Conflict("This account has ended already.")
        found = await hand_of(ctx, who)
        places = {place.id: place.name for place in await access.places(ctx, closed=True)}
        everybody = await access.people(ctx)
    care = {"clinician", "nurse"}
    hand, theirs, refills, tasks = found.ends, found.visiting, found.prescribed, found.tasks
    clinician = theirs.any or refills.any or (hand.only and "clinician" in who.roles)
    needs = clinician or theirs.drafts or tasks or hand.only
    able = {"clinician"} if clinician else care if needs or who.roles & care else set(who.roles)
    return render(
        request,
        "admin/leaving.html",
        error.status if error else 200,
        person=who,
        hand=hand,
        alarms=found.alarms,
        visits=theirs,
        refills=refills,
        tasks=tasks,
        talks=found.talks,
        places=places,
        needs=bool(needs),
        clinician=bool(clinician),
        colleagues=[one for one in everybody if one.roles & able and one.id != who.id],
        error=error,
        to=to,
    )


async def leave(request: Request) -> Response:
    """POST: to: whose all of it is from now on; empty: alarms go back to their ladder, duties are gaps."""
    to_id = str((await request.form()).get("to") or "")
    home = page_of(request).clinic.country
    try:
        async with access.work(ctx_of(request), "ended an account") as ctx:
            who = await colleague(ctx, request.path_params["person"])
            to = await access.successor(ctx, who, to_id) if to_id else None
            await prescribing.hand_on(ctx, who.id, to)
            await visits.hand_on(ctx, who, to, home=home)
            await monitoring.hand_on_alarms(ctx, who.id, to)
            await messaging.threads.hand_on(ctx, who, to)
            await orders.tasks.hand_on(ctx, who, to)
            await access.leave(ctx, who.id, to=to.id if to else None)
    except (Invalid, Conflict) as error:
        return await _page(request, error, to_id)
    return RedirectResponse("/admin?left=1", 303)
