"""The unit of work: one transaction, one audit entry, and what follows the commit.

A write's entry is in its own transaction. A read's entry is durable before the answer leaves: concurrent reads share
one commit instead of queueing for the disk one by one, and so do writes that need nothing else of the database.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias, TypeVar

import structlog

from bedside.access.service.actors import purpose_of
from bedside.access.store import audit as store
from bedside.foundation.context import Ctx, Trail
from bedside.foundation.database import Connection, Database, Row
from bedside.foundation.errors import BedsideError, Forbidden, SignInNeeded, Unavailable
from bedside.foundation.together import Together

T = TypeVar("T")
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
        if readonly:
            async with ctx.database.reading() as reader:
                inner = inner.with_(tx=reader)
                yield inner
        else:
            async with ctx.database.transaction() as connection:
                inner = inner.with_(tx=connection)
                yield inner
                # An effect that a commit may still forbid must not have run: the entry is the last statement.
                if _told(inner.trail):
                    await store.append(connection, [entry(inner, "allowed")])
    except BedsideError as error:
        await _refused(inner, error)
        raise
    if readonly and _told(inner.trail):
        await committer(ctx.database)(entry(inner, "allowed"))
    await after(inner)


async def _refused(ctx: Ctx, error: BedsideError) -> None:
    """The entry of a unit of work that was rolled back, and what is kept of it."""
    refused = isinstance(error, Forbidden | SignInNeeded)
    if ctx.trail.refused is not None or (ctx.trail.patients and error.status < 500):
        outcome = "refused" if refused or ctx.trail.refused is not None else "failed"
        await committer(ctx.database)(entry(ctx, outcome))
    for keep in ctx.trail.after_rollback:
        await keep()


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


Committer: TypeAlias = Together[Row, None]
_COMMITTERS: weakref.WeakKeyDictionary[Database, Committer] = weakref.WeakKeyDictionary()


def committer(database: Database) -> Committer:
    """Commits entries: those that come together by one statement. The one of a database in this process.

    It answers once the entry is durable, and raises Unavailable when the database is away: no answer may leave then.
    """
    found = _COMMITTERS.get(database)
    if found is None:
        whose = weakref.ref(database)

        async def commit(entries: list[Row]) -> list[None]:
            async with _there(whose).connection() as sql:
                await store.append(sql, entries)
            return [None] * len(entries)

        found = _COMMITTERS[database] = Together(commit)
    return found


def _there(database: weakref.ref[Database]) -> Database:
    found = database()
    if found is None:
        raise RuntimeError("the database object is gone")
    return found


Flush: TypeAlias = Callable[[Connection, int, list[Any]], Awaitable[None]]
"""Writes what several units of work of one tenant have prepared, in an open transaction."""
_SHARED: weakref.WeakKeyDictionary[Database, dict[Flush, Together[tuple[Ctx, Any], Exception | None]]] = (
    weakref.WeakKeyDictionary()
)


async def share(ctx: Ctx, action: str, prepare: Callable[[Ctx], Awaitable[T]], flush: Flush) -> T:
    """A unit of work whose write shares its transaction with those that come at the same moment.

    prepare: checks, authorises (without the database: a backend client's scopes suffice) and says what is to be
    written. flush: the same function for all that may share. Each work has its own audit entry in that transaction, and
    what one of them cannot write fails it alone: the others are then written without it. Raises what either raises.
    """
    inner = ctx.with_(trail=Trail(action=action), after_commit=[])
    try:
        made = await prepare(inner)
        failure = await _sharer(ctx.database, flush)((inner, made))
        if failure is not None:
            raise failure
    except BedsideError as error:
        await _refused(inner, error)
        raise
    await after(inner)
    return made


def _sharer(database: Database, flush: Flush) -> Together[tuple[Ctx, Any], Exception | None]:
    every = _SHARED.setdefault(database, {})
    found = every.get(flush)
    if found is None:
        whose = weakref.ref(database)

        async def write(works: list[tuple[Ctx, Any]]) -> None:
            async with _there(whose).transaction() as sql:
                for tenant in {ctx.tenant for ctx, _ in works}:
                    await flush(sql, tenant, [made for ctx, made in works if ctx.tenant == tenant])
                await store.append(sql, [entry(ctx, "allowed") for ctx, _ in works])

        async def alone(work: tuple[Ctx, Any]) -> Exception | None:
            try:
                await _there(whose).attempt(lambda: write([work]))
            except Exception as error:
                return error
            return None

        async def together(works: list[tuple[Ctx, Any]]) -> list[Exception | None]:
            if len(works) > 1:
                try:
                    await write(works)
                except Unavailable:
                    raise  # whether the commit was kept is unknown: nothing is written a second time
                except Exception:
                    return [await alone(work) for work in works]
                return [None] * len(works)
            return [await alone(works[0])]

        found = every[flush] = Together(together, most=64)
    return found
