"""The patient's home, top to bottom: greeting, the next thing, send a reading, the last one, messages, medicines."""

from __future__ import annotations

from datetime import datetime, timedelta

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from bedside import access, messaging, monitoring, prescribing, visits
from bedside.fhir.names import name_of
from bedside.foundation.context import Ctx
from bedside.foundation.http import ctx_of
from bedside.web.clinician import vitals
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_
from bedside.web.kit.series import Chart
from bedside.web.patient.aims import aimed
from bedside.web.patient.meaning import HIGH_PRESSURE, Shown, latest_of, meaning
from bedside.web.patient.medicines import STEPS
from bedside.web.patient.waiting import waiting_words
from bedside.web.patient.whose import COOKIE, whose

JOINABLE = frozenset({"invited", "waiting", "in-progress"})
"""States of a visit in which the patient can go in."""


async def page(request: Request) -> Response:
    """GET /home."""
    async with access.work(ctx_of(request), "opened the home page", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
        found = (await monitoring.latest(ctx, [patient]))[patient]
        plan = (await monitoring.plans(ctx, [patient])).get(patient)
        targets = await monitoring.targets(ctx, patient)
        alarms = await monitoring.alarms(ctx, patient=patient)
        to_read = [one for one in await monitoring.told(ctx, patient) if one.read_at is None]
        watched = await monitoring.watched(ctx, patient)
        open_visits = await visits.of_patient(ctx, patient, open_only=True)
        prescriptions = [p for p in await prescribing.of_patient(ctx, patient) if p.status != "draft"]
        last = latest_of(found)
        chart = await week(ctx, patient, last, plan) if last else None
        others = await _others(ctx)
        message = await _last_message(ctx, patient)
        unseen_messages = await messaging.threads.unseen(ctx, patient) if await _reads(ctx, patient) else 0
    return render(
        request,
        "patient/home.html",
        greeting=greeting(page_of(request).now.astimezone(page_of(request).zone).hour),
        name=name,
        patient=patient,
        next_visit=_next(open_visits, ctx_of(request).clock.now()),
        joinable=JOINABLE,
        last=last,
        meaning=meaning(last, plan, targets) if last else None,
        chart=aimed(chart, targets) if chart else None,
        unseen=[a for a in alarms if a.unseen],
        nobody=any(a.nobody for a in alarms),
        symptoms=any(a.cause == "symptoms" for a in alarms),
        high=any(a.cause in HIGH_PRESSURE for a in alarms),
        watched=watched,
        to_read=to_read,
        prescriptions=prescriptions[:3],
        steps=STEPS,
        others=others,
        message=message,
        unseen_messages=unseen_messages,
        me=ctx_of(request).actor.id,
        kept=waiting_words(request),
    )


async def choose(request: Request) -> Response:
    """A caregiver of several says for whom; `whose` still asks the policy."""
    form = await request.form()
    response = RedirectResponse("/home", 303)
    response.set_cookie(COOKIE, str(form.get("patient", ""))[:64], httponly=True, samesite="lax", path="/")
    return response


def _next(open_visits: list[visits.Visit], now: datetime) -> visits.Visit | None:
    """What can be joined now, else what is planned next, else what is being prepared."""
    joinable = [v for v in open_visits if v.status in JOINABLE and not v.early(now)]
    planned = sorted((v for v in open_visits if v.planned_at and v.early(now)), key=lambda v: v.planned_at or now)
    return next(iter([*joinable, *planned, *open_visits]), None)


def greeting(hour: int) -> str:
    """By the reader's own clock."""
    if hour < 5 or hour >= 19:
        return N_("Good evening, %(name)s")
    return N_("Good morning, %(name)s") if hour < 12 else N_("Good afternoon, %(name)s")


async def week(ctx: Ctx, patient: str, shown: Shown, plan: monitoring.Plan | None) -> Chart | None:
    """Seven days of the sign that is shown."""
    until = ctx.clock.now()
    since = until - timedelta(days=7)
    series = [await monitoring.series(ctx, patient, m, since, until + timedelta(seconds=1)) for m in shown.sign.metrics]
    drawn = vitals.charts(
        {s.metric: [vitals.measured(s.points)] for s in series},
        {s.metric: [(g.since, g.until) for g in s.gaps] for s in series},
        plan.rows if plan else (),
        since,
        until,
        {s.metric: s.count for s in series if s.thinned},
    )
    return drawn[0] if drawn else None


async def _last_message(ctx: Ctx, patient: str) -> visits.Message | None:
    """The newest line that was written in one of the last visits."""
    for visit in (await visits.of_patient(ctx, patient))[:3]:
        if said := await visits.chat(ctx, visit.id):
            return said[-1]
    return None


async def _reads(ctx: Ctx, patient: str) -> bool:
    """A caregiver's grant may leave messages out."""
    return await access.may(ctx, patient, "R", what="Communication")


async def _others(ctx: Ctx) -> list[tuple[str, str]]:
    """The patients a caregiver may choose from, (id, name); none for who has but one."""
    if "caregiver" not in ctx.actor.roles:
        return []
    from bedside import records

    mine = sorted(await access.visible(ctx) or ())
    if len(mine) < 2:
        return []
    return [(id_, name_of(await records.read(ctx, "Patient", id_))) for id_ in mine]


ROUTES: list[BaseRoute] = [Route("/home", page), Route("/for", choose, methods=["POST"])]
