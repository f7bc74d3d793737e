"""Alarm fatigue as numbers: per patient-day, acted on, time to acknowledge; and what another limit would do."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.foundation.errors import N_, BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.web.kit import render
from bedside.web.kit.amounts import SAME
from bedside.web.wall import words
from bedside.web.wall.hub import name_of

SPANS = {"1": N_("24 hours"), "7": N_("7 days"), "30": N_("30 days")}
MOST = 20
"""Patients listed under a what-if, those with most change first."""


async def page(request: Request) -> Response:
    """GET /alarms/numbers: ?days=1, 7 or 30; ?rule=…&limit=… replays the last 30 days."""
    asked = request.query_params
    days = asked.get("days", "7") if asked.get("days", "7") in SPANS else "7"
    rule, typed = asked.get("rule", ""), asked.get("limit", "").strip()
    replayed: monitoring.Replayed | None = None
    error: BedsideError | None = None
    async with access.work(ctx_of(request), "looked at alarm numbers", readonly=True) as ctx:
        until = ctx.clock.now()
        rows = monitoring.replayable(until)
        found = await monitoring.burden(ctx, until - timedelta(days=int(days)), until)
        try:
            if rule or typed:
                replayed = await monitoring.what_if(ctx, rule, _limit(typed))
        except BedsideError as refused:
            error = refused
        changes = _changes(replayed) if replayed else []
        shown = [(await name_of(ctx, one.patient), one) for one in changes[:MOST]]
    return render(
        request,
        "wall/numbers.html",
        400 if error else 200,
        burden=found,
        days=days,
        spans=SPANS,
        rows={row.id: row for row in rows},
        rule=rule,
        typed=typed,
        replayed=replayed,
        changes=shown,
        same=SAME,
        units=words.LIMITED,
        more=max(0, len(changes) - MOST),
        error=error,
        sides=words.SIDES,
        words=words,
    )


def _limit(typed: str) -> float:
    try:
        return float(typed.replace(",", "."))
    except ValueError:
        raise Invalid("That is no number.", where="limit") from None


class Change(NamedTuple):
    """A patient's alarms under the present limit and under the other."""

    patient: str
    now: int
    then: int


def _changes(replayed: monitoring.Replayed) -> list[Change]:
    """Whose number changes, those with most change first."""
    now = Counter(one.patient for one in replayed.now)
    then = Counter(one.patient for one in replayed.then)
    found = [Change(one, now[one], then[one]) for one in sorted(now.keys() | then.keys()) if now[one] != then[one]]
    return sorted(found, key=lambda one: -abs(one.then - one.now))


ROUTES: list[BaseRoute] = [Route("/alarms/numbers", page)]
