"""Open work of the desk and the pharmacy: who asks to come in, who may be here twice, who was not reached."""

from __future__ import annotations

from dataclasses import replace

from bedside import access, messaging, prescribing, records
from bedside.foundation.errors import N_
from bedside.web.clinician.duplicates import GRADES
from bedside.web.desk import form as desk
from bedside.web.work.item import FAR, SHOWN, Asked, Found, Item, found


async def registrations(asked: Asked) -> Found:
    """Who asks to be registered."""
    rows = await access.applying.waiting(asked.ctx)
    items = [Item(desk.name(one.said), f"/patients/waiting/{one.id}", since=one.confirmed) for one in rows]
    return found(asked, items, bound=access.applying.MOST)


async def calls(asked: Asked) -> Found:
    """Who cannot sign in and asks to be called."""
    rows = await access.calling.waiting(asked.ctx)
    items = [Item(one.name, f"/patients/calls/{one.id}", since=one.asked) for one in rows]
    return found(asked, items, bound=access.calling.MOST)


async def duplicates(asked: Asked) -> Found:
    """Pairs of patients who may be one person, the likeliest first."""
    pairs = await records.likely_duplicates(asked.ctx, limit=FAR)
    return found(
        asked,
        [
            Item(
                asked.said(N_("%(one)s and %(other)s may be one person"))
                % {"one": pair.one.name, "other": pair.other.name},
                f"/patients/duplicates/{pair.one.id}/{pair.other.id}",
                detail=asked.said(GRADES[pair.likeness.grade]),
            )
            for pair in pairs
        ],
        bound=FAR,
    )


async def unreached(asked: Asked) -> Found:
    """Whom a notice did not reach, or who did not open it."""
    people, others = await messaging.failing(asked.ctx)
    rows = sorted(people, key=lambda one: min(notice.created for notice in one.notices))
    items = [
        Item(
            asked.said(N_("Reach %(name)s another way")) % {"name": one.person.name},
            "/admin/notices" if one.staff else "/notices",
            one.patients[0] if len(one.patients) == 1 else None,
            since=min(notice.created for notice in one.notices),
            detail=asked.said(N_("notices: %(count)s")) % {"count": len(one.notices)} if len(one.notices) > 1 else "",
        )
        for one in rows
    ]
    full = sum(len(one.notices) for one in people) + others >= messaging.MOST_FAILING
    return replace(found(asked, items), full=full)


async def to_dispense(asked: Asked) -> Found:
    """Prescriptions that wait at the pharmacy."""
    steps = {"signed": N_("to accept"), "accepted": N_("accepted, to hand out")}
    return found(
        asked,
        [
            Item(
                one.name,
                f"/pharmacy/{one.id}",
                one.draft.patient,
                since=one.signed_at,
                detail=asked.said(steps[one.status]),
            )
            for one in await prescribing.to_dispense(asked.ctx)
        ],
    )


async def emergencies(asked: Asked) -> Found:
    """Emergency accesses that no privacy officer has reviewed. Whose record it was she looks up in the audit."""
    waiting, number, next_ = await access.emergencies.waiting(asked.ctx, limit=SHOWN, after=asked.after)
    items = [
        Item(
            asked.said(N_("%(name)s opened a record in an emergency")) % {"name": one.name},
            f"/admin/emergencies#e-{one.id}",
            since=one.since,
            detail=one.reason,
        )
        for one in waiting
    ]
    return Found(items, number, next=next_)


async def no_officer(asked: Asked) -> Found:
    """That emergency accesses wait and nobody is a privacy officer."""
    number = await access.emergencies.orphaned(asked.ctx)
    what = asked.said(N_("Name a privacy officer: emergency accesses wait for one (%(count)s)")) % {"count": number}
    return found(asked, [Item(what, "/admin#add")] if number else [])
