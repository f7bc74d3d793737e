"""The unit of work: one transaction, one audit entry, and what follows the commit.

A write's entry is in its own transaction. A read's entry is durable before the answer leaves: it goes through a
GroupCommit, where concurrent reads share one commit instead of queueing for the disk one by one.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from bedside.access.service.actors import purpose_of
from bedside.access.store import audit as store
from bedside.foundation.context import Ctx, Trail
from bedside.foundation.database import Database, Row
from bedside.foundation.errors import BedsideError, Forbidden, SignInNeeded

log = structlog.get_logger("bedside.access")


@asynccontextmanager
async def work(ctx: Ctx, action: str, *, readonly: bool = False) -> AsyncIterator[Ctx]:
    """Open a transaction for one request, job or message; audit it; commit; then run ctx.after_commit.

    action: the event in the words of the patient's page ('opened the chart'). readonly: the transaction refuses
    writes. Inside another work the outer one is joined, and its action stays.
    Raises what the body raises, after rolling back; a refusal or a failure that touched patients is audited in a
    transaction of its own.
    """
    if ctx.tx is not None:
        yield ctx
        return
    inner = ctx.with_(trail=Trail(action=action), after_commit=[])
    try:
        async with ctx.database.transaction(readonly=readonly) as connection:
            inner = inner.with_(tx=connection)
            yield inner
            # An effect that a commit may still forbid must not have run: the entry is the last statement.
            if not readonly and _told(inner.trail):
                await store.append(connection, [entry(inner, "allowed")])
    except BedsideError as error:
        refused = isinstance(error, Forbidden | SignInNeeded)
        if inner.trail.refused is not None or (inner.trail.patients and error.status < 500):
            outcome = "refused" if refused or inner.trail.refused is not None else "failed"
            await committer(ctx.database).add(entry(inner, outcome))
        for keep in inner.trail.after_rollback:
            await keep()
        raise
    if readonly and _told(inner.trail):
        await committer(ctx.database).add(entry(inner, "allowed"))
    await after(inner)


async def after(ctx: Ctx) -> None:
    """Run what waits for the commit. What is here is a moment, no promise: a failure is logged and goes by."""
    for effect in ctx.after_commit:
        try:
            await effect()
        except Exception as error:
            log.warning("an effect after the commit failed", kind=type(error).__name__)
    ctx.after_commit.clear()


def _told(trail: Trail) -> bool:
    return bool(trail.patients or trail.entities or trail.wrote or trail.refused)


def entry(ctx: Ctx, outcome: str) -> Row:
    """The audit entry of what a ctx did so far."""
    trail = ctx.trail
    actor = trail.actor or ctx.actor
    purpose = ctx.purpose if trail.actor is None or actor.kind != "person" else purpose_of(actor.roles)
    return {
        "tenant": ctx.tenant,
        "at": ctx.clock.now().isoformat(),
        "request": ctx.request,
        "action": trail.action,
        "outcome": outcome,
        "actor_kind": actor.kind,
        "actor": actor.id,
        "actor_name": actor.name,
        "actor_reference": actor.reference,
        "roles": sorted(actor.roles),
        "purpose": "ETREAT" if trail.emergency else purpose,
        "reason": ctx.reason,
        "origin": ctx.origin,
        "patients": {patient: "".join(sorted(actions)) for patient, actions in trail.patients.items()},
        "entities": trail.entities[:100],
        "refused": trail.refused,
        "wrote": trail.wrote and outcome == "allowed",
    }


class GroupCommit:
    """Writes entries that come together in one transaction; `add` returns once its own is durable."""

    def __init__(self, database: Database) -> None:
        self._database = weakref.ref(database)
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None
        self.commits = 0

    async def add(self, row: Row) -> None:
        """Wait until the entry is committed. Raises Unavailable when the database is away: no answer may leave then."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, done))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        # Shielded by nature: the task is not the caller's, so a caller that leaves takes no other's entry along.
        await done

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:500], self._waiting[500:]
            try:
                database = self._database()
                if database is None:
                    raise RuntimeError("the database object is gone")
                async with database.transaction() as connection:
                    await store.append(connection, [row for row, _ in batch])
                self.commits += 1
            except Exception as error:
                for _, done in batch:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in batch:
                    if not done.done():
                        done.set_result(None)


_COMMITTERS: weakref.WeakKeyDictionary[Database, GroupCommit] = weakref.WeakKeyDictionary()


def committer(database: Database) -> GroupCommit:
    """The one GroupCommit of a database in this process."""
    found = _COMMITTERS.get(database)
    if found is None:
        found = _COMMITTERS[database] = GroupCommit(database)
    return found
