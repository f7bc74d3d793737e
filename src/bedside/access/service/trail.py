"""Who looked: the audit, read by those whom it concerns."""

from __future__ import annotations

from datetime import datetime

from bedside.access.model.audit import AuditLine
from bedside.access.service.decide import authorise, require
from bedside.access.store import audit as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound


async def who_looked(
    ctx: Ctx, patient: str, *, since: datetime | None = None, before: str | None = None, limit: int = 100
) -> list[AuditLine]:
    """Everyone who came near a patient's record, the refused too, the newest first.

    before: the id of the last line seen, to go on from. Raises Forbidden.
    """
    await authorise(ctx, patient, "R", what="AuditEvent")
    return await store.lines(
        ctx.sql, ctx.tenant, patient=patient, since=since, before=int(before) if before else None, limit=limit
    )


async def audit_lines(
    ctx: Ctx, *, since: datetime | None = None, before: str | None = None, limit: int = 100
) -> list[AuditLine]:
    """The whole tenant's audit, for the privacy officer, the newest first."""
    if ctx.actor.kind == "person":
        await require(ctx, "privacy-officer")
    else:
        await authorise(ctx, None, "R", what="AuditEvent")
    return await store.lines(
        ctx.sql, ctx.tenant, patient=None, since=since, before=int(before) if before else None, limit=limit
    )


async def audit_line(ctx: Ctx, id: str) -> AuditLine:
    """One entry, for whoever may read the audit of a patient it names. Raises NotFound, Forbidden."""
    found = (
        await store.lines(ctx.sql, ctx.tenant, patient=None, since=None, before=None, limit=1, id=int(id))
        if id.isdecimal() and len(id) < 19
        else []
    )
    if not found:
        raise NotFound("There is no such audit entry.")
    line = found[0]
    for patient in line.patients or (None,):
        await authorise(ctx, patient, "R", what="AuditEvent")
    return line
