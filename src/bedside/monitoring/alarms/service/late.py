"""What came too late to raise a live alarm and would have raised one: on the work list, once a patient and cause.

It never resolves, lowers or repeats an alarm: where one of the same cause is open, somebody has it already.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bedside import access
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict
from bedside.foundation.ids import uuid7
from bedside.monitoring.alarms.model import UNDO_SECONDS, LateFinding
from bedside.monitoring.alarms.store import late as store
from bedside.monitoring.rules.model import tables
from bedside.monitoring.rules.model.limits import Finding

MOST_LATE = 200
"""How many are listed at once, the worst first."""


async def note(ctx: Ctx, patient: str, found: Iterable[tuple[datetime, Finding, dict[str, object]]]) -> None:
    """Put findings of one patient on the list: each with its moment, and as the JSON that an alarm keeps."""
    by_cause: dict[str, list[tuple[datetime, Finding, dict[str, object]]]] = {}
    for one in found:
        by_cause.setdefault(one[1].cause, []).append(one)
    for cause, these in by_cause.items():
        _, worst, told = max(these, key=_badness)
        times = [at for at, _, _ in these]
        now = ctx.clock.now()
        new = LateFinding(
            uuid7(), patient, cause, worst.priority, told, len(these), min(times), max(times), received_at=now
        )
        await store.add(ctx.sql, ctx.tenant, new)


def _badness(one: tuple[datetime, Finding, dict[str, object]]) -> tuple[int, float, datetime]:
    """By priority, then by how far outside, then the later."""
    at, finding, _ = one
    beyond = 0.0 if isinstance(finding.value, str) else abs(finding.value - finding.limit)
    return tables.RANK[finding.priority], beyond, at


async def late_findings(ctx: Ctx) -> list[LateFinding]:
    """Those that nobody has seen, of the patients whom the actor may see: worst first."""
    found = await store.unseen(ctx.sql, ctx.tenant, await access.visible(ctx, what="alarm"), MOST_LATE)
    for one in found:
        ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return found


async def late_finding_seen(ctx: Ctx, id: str, note: str = "") -> None:
    """Somebody has looked, and says what came of it. Raises NotFound, Forbidden, Conflict when somebody did before."""
    await _mine(ctx, id)
    by = (ctx.actor.id, ctx.actor.name)
    if not await store.seen(ctx.sql, ctx.tenant, id, by, note.strip()[:500], ctx.clock.now()):
        raise Conflict("Somebody has seen to it already.")


async def late_finding_unseen(ctx: Ctx, id: str) -> None:
    """A slip: it stands on the list again. Within UNDO_SECONDS, by whoever said it; else raises Conflict.

    Raises NotFound, Forbidden.
    """
    await _mine(ctx, id)
    since = ctx.clock.now() - timedelta(seconds=UNDO_SECONDS)
    if not await store.not_seen(ctx.sql, ctx.tenant, id, ctx.actor.id, since):
        raise Conflict("There is nothing to undo any more.")


async def _mine(ctx: Ctx, id: str) -> None:
    await access.require(ctx, "nurse", "clinician")
    patient = await store.patient_of(ctx.sql, ctx.tenant, id)
    if patient is None:
        raise await access.absent(ctx, "R", "alarm", "There is no such finding.")
    # Who is on duty may see it, and who may see it may say that they have.
    await access.authorise(ctx, patient, "R", what="alarm")
    ctx.trail.entities.append(f"LateFinding/{id}")
    ctx.trail.wrote = True
