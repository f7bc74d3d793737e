"""Open work with patients: visits, results, conversations, findings, notes, prescriptions, tasks, devices."""

from __future__ import annotations

from typing import Any

from bedside import messaging, monitoring, orders, prescribing, records, visits
from bedside.fhir.concepts import code, words
from bedside.fhir.dates import span
from bedside.foundation.errors import N_
from bedside.web.clinician.results import FLAGS, value_of
from bedside.web.clinician.today import told_apart
from bedside.web.kit.written import when
from bedside.web.wall.words import cause_of
from bedside.web.wall.words import value_of as measured
from bedside.web.work.item import FAR, SHOWN, Asked, Found, Item, found

URGENT = ("triangle-alert", N_("urgent"))
CRITICAL = ("triangle-alert", N_("critical"))
OPEN_TASKS = "draft,requested,received,accepted,ready,in-progress,on-hold"
PRIORITY = {"high": N_("high"), "medium": N_("medium"), "low": N_("low")}


def _mark(asked: Asked, mark: tuple[str, str]) -> tuple[str, str]:
    return mark[0], asked.said(mark[1])


async def to_take(asked: Asked) -> Found:
    """Visits handed over, patients who sit in the waiting room, and what colleagues moved or cancelled."""
    waits = {"handed": N_("Take the visit: %(reason)s"), "waiting": N_("In your waiting room: %(reason)s")}
    hers = [v for v in await visits.mine(asked.ctx) if v.clinician == asked.ctx.actor.id]
    mine = [v for v in hers if v.status in waits]
    mine.sort(key=lambda v: (v.status != "waiting", v.asked_at))
    items = [
        Item(
            asked.said(waits[v.status]) % {"reason": v.reason},
            f"/visits/{v.id}",
            v.patient,
            since=v.asked_at,
            mark=_mark(asked, ("video", N_("waits now"))) if v.status == "waiting" else None,
            detail=asked.said(N_("asked for by %(name)s")) % {"name": v.asked_by_name},
        )
        for v in mine
    ]
    changed = sorted((v for v in hers if v.changed), key=lambda v: v.change_at or v.asked_at)
    return found(asked, items + [_changed(asked, v) for v in changed])


def _changed(asked: Asked, visit: visits.Visit) -> Item:
    if visit.change == "cancelled":
        what = asked.said(N_("%(name)s cancelled your visit")) % {"name": visit.change_by}
    else:
        at = visit.planned_at or visit.asked_at
        told = when(at, asked.page.language, asked.page.zone, asked.page.now)
        what = asked.said(N_("%(name)s moved your visit to %(when)s")) % {"name": visit.change_by, "when": told}
    return Item(what, f"/visits/{visit.id}", visit.patient, since=visit.change_at, detail=visit.reason)


async def results(asked: Asked) -> Found:
    """Results that nobody has seen, critical ones first."""
    waiting, total, next_ = await orders.waiting(asked.ctx, limit=SHOWN, after=asked.after or None)
    by_ref: dict[str, dict[str, Any]] = {}
    for type_ in ("DiagnosticReport", "Observation"):
        ids = [one.ref.partition("/")[2] for one in waiting if one.ref.startswith(f"{type_}/")]
        if ids:
            page = await records.search(asked.ctx, type_, [("_id", ",".join(ids)), ("_count", str(len(ids)))])
            by_ref |= {f"{type_}/{one['id']}": one for one in page.entries}
    items = []
    for one in waiting:
        resource = by_ref.get(one.ref)
        if resource is not None:
            items.append(
                Item(
                    words(resource.get("code")) or asked.said(N_("Result")),
                    f"/results/{one.ref}",
                    one.patient,
                    since=one.arrived_at,
                    mark=_mark(asked, CRITICAL) if one.critical else None,
                    detail=_says(asked, resource),
                )
            )
    return Found(items, total - (len(waiting) - len(items)), next=next_)


def _says(asked: Asked, resource: dict[str, Any]) -> str:
    """A result in one line: its value and flag, or a report's conclusion."""
    if resource.get("status") in {"entered-in-error", "cancelled"}:
        return asked.said(N_("withdrawn by who sent it"))
    value = " ".join(part for part in value_of(resource) if part)
    flag = next((FLAGS[c] for i in resource.get("interpretation") or () if (c := code(i)) in FLAGS), "")
    said = ", ".join(part for part in (asked.said(value) if value else "", asked.said(flag) if flag else "") if part)
    return said or str(resource.get("conclusion") or "")[:120]


async def unanswered(asked: Asked) -> Found:
    """Conversations that wait for an answer, by when one was promised."""
    waits, _ = await messaging.threads.waiting(asked.ctx)
    most = FAR if asked.far else SHOWN
    threads = await messaging.threads.awaited(asked.ctx, limit=most)
    return found(
        asked,
        [
            Item(
                asked.said(one.about),
                f"/messages/{one.id}",
                one.patient,
                due=one.promised,
                mark=_mark(asked, URGENT) if one.urgent else None,
                detail=asked.said(N_("taken by %(name)s")) % {"name": one.assigned_name} if one.assigned_name else "",
            )
            for one in threads
        ],
        waits,
        bound=FAR,
    )


async def late(asked: Asked) -> Found:
    """Measured outside a limit, and come too late to raise an alarm."""
    rows = await monitoring.late_findings(asked.ctx)
    return found(
        asked,
        [
            Item(
                f"{asked.said(cause_of(one))} {measured(one.finding, asked.page.units)}".strip(),
                f"/patients/{one.patient}",
                one.patient,
                since=one.received_at,
                mark=(
                    "triangle-alert" if one.priority == "high" else "circle-alert",
                    asked.said(PRIORITY[one.priority]),
                ),
                detail=asked.said(N_("say what came of it on Today")),
            )
            for one in rows
        ],
        bound=monitoring.MOST_LATE,
    )


async def unsigned(asked: Asked) -> Found:
    """Notes of one's visits, then the drafts that belong to none, made of a message or by another program."""
    ctx, said = asked.ctx, asked.said
    items: list[Item] = []
    hidden = 0
    if "clinician" in ctx.actor.roles:
        mine, hidden = await visits.notes.to_sign(ctx)
        rows = sorted(mine, key=lambda v: v.started_at or v.asked_at)
        items = [Item(v.reason, f"/visits/{v.id}", v.patient, since=v.ended_at or v.started_at) for v in rows]
    loose, number, _ = await visits.drafts.to_sign(ctx, limit=FAR if asked.far else SHOWN)
    hidden += await visits.drafts.beyond(ctx)
    items += [
        Item(
            one.about or said(N_("Note")),
            f"/notes/{one.id}",
            one.patient,
            since=one.begun,
            detail=said(N_("a draft outside visits")),
        )
        for one in loose
    ]
    beyond = ""
    if hidden:
        beyond = said(
            N_("Notes of yours that wait, of patients no longer in your care: %(count)s. Ask to be let in.")
        ) % {"count": hidden}
    return found(asked, items, len(items) - len(loose) + number + hidden, beyond, bound=FAR)


async def drafts(asked: Asked) -> Found:
    """Prescriptions that were written and not signed: no pharmacy knows of them."""
    rows = await prescribing.drafts(asked.ctx)
    return found(asked, [Item(p.name, f"/prescriptions/{p.id}", p.draft.patient, since=p.written_at) for p in rows])


async def refused(asked: Asked) -> Found:
    """What a pharmacy refused: the patient goes without it."""
    rows = [(p, p.events[-1]) for p in await prescribing.refused(asked.ctx)]
    rows.sort(key=lambda row: row[1].at)
    return found(
        asked, [Item(p.name, f"/prescriptions/{p.id}", p.draft.patient, since=e.at, detail=e.reason) for p, e in rows]
    )


async def refills(asked: Asked) -> Found:
    """Patients who ask for more."""
    rows = await prescribing.refills_to_answer(asked.ctx)
    return found(
        asked,
        [
            Item(r.name, f"/prescriptions/{r.prescription}#refill", r.patient, since=r.asked_at, detail=r.note)
            for r in rows
        ],
    )


async def tasks(asked: Asked) -> Found:
    """Tasks that are mine, the oldest first."""
    me = asked.ctx.actor.reference
    if not me:
        return found(asked, [])
    wanted = [
        ("owner", me),
        ("status", OPEN_TASKS),
        ("_sort", "authored-on"),
        ("_count", str(SHOWN)),
        ("_total", "accurate"),
    ]
    if asked.after:
        wanted.append(("_cursor", asked.after))
    page = await records.search(asked.ctx, "Task", wanted)
    return Found([_task(asked, one) for one in page.entries], page.total or len(page.entries), next=page.next)


def _task(asked: Asked, task: dict[str, Any]) -> Item:
    whose = str((task.get("for") or {}).get("reference") or "")
    about = str((task.get("focus") or {}).get("reference") or "")
    href = f"/messages/{about.partition('/')[2]}" if about.startswith("Communication/") else None
    patient = whose.partition("/")[2] if whose.startswith("Patient/") else None
    end = (task.get("restriction") or {}).get("period", {}).get("end")
    return Item(
        str(task.get("description") or words(task.get("code")) or asked.said(N_("Task"))),
        href or (f"/patients/{patient}" if patient else None),
        patient,
        since=span(str(task["authoredOn"]))[0] if task.get("authoredOn") else None,
        due=span(str(end))[1] if end else None,
        mark=_mark(asked, URGENT) if task.get("priority") in {"urgent", "asap", "stat"} else None,
        task=task["id"],
    )


async def devices(asked: Asked) -> Found:
    """Trouble with devices that somebody has to look at, readings that belong to nobody among it: a line a kind."""
    troubles = told_apart([one for one in await monitoring.technical_events(asked.ctx) if not one.routine])
    return found(
        asked,
        [
            Item(
                asked.said(one.says),
                "/devices",
                one.patients[0] if len(one.patients) == 1 else None,
                since=one.last_at,
                detail=asked.said(N_("devices: %(count)s")) % {"count": one.devices} if one.devices > 1 else "",
            )
            for one in sorted(troubles, key=lambda one: one.last_at)
        ],
    )
