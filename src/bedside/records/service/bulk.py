"""Bulk Data as its clients meet it: asked for, looked after, cancelled, expired; the work itself is a job.

Whoever asks is whoever may look: to all others the job is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from bedside import access
from bedside.foundation import jobs
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import Forbidden, Gone, NotFound, SignInNeeded, TooMany
from bedside.foundation.ids import uuid7
from bedside.records.model.bulk import Made, Wish
from bedside.records.service import exporting, shelf
from bedside.records.store import bulk as store

EXPORT, IMPORT = "records.export", "records.import"
KEPT = timedelta(hours=24)
"""How long files stay after the work."""
STUCK = timedelta(hours=24)
"""Work that has not moved for so long has failed."""
POLL = 2
"""Seconds between looks that a client is asked to keep."""


class Job(NamedTuple):
    """A job as its client sees it. state: working, done, failed. done, total: rows so far and nearly in all."""

    id: str
    kind: str
    request: str
    state: str
    asked: datetime
    expires: datetime | None
    done: int
    total: int | None
    why: str | None
    wish: dict[str, Any]
    place: dict[str, Any]


def owner(ctx: Ctx) -> str:
    """Who a job belongs to."""
    return f"{ctx.actor.kind}/{ctx.actor.id}"


def of_a_client(ctx: Ctx) -> None:
    """Raise unless a backend client (or the program itself) asks: a person's standing is with single patients."""
    if ctx.actor.kind == "nobody":
        raise SignInNeeded("Bulk Data is for backend clients; get a token first.")
    if ctx.actor.kind not in ("client", "job"):
        ctx.trail.refused = "E bulk"
        raise Forbidden("Bulk Data is for backend clients.", remedy="Register one: bedside client add.")


async def ask_export(ctx: Ctx, wish: Wish, request: str) -> str:
    """Begin an export of what stands now; its id. Raises Forbidden, NotFound, Refused, TooMany while one is at work."""
    of_a_client(ctx)
    settled = await exporting.settled(ctx, wish)
    return await ask(ctx, "export", EXPORT, msgspec.to_builtins(settled), request)


async def ask(ctx: Ctx, kind: str, name: str, wish: Mapping[str, Any], request: str, id_: str | None = None) -> str:
    """Keep the job and enqueue its work in this transaction. Raises TooMany."""
    id_ = id_ or uuid7()
    actor = ctx.actor
    kept = await store.insert(
        ctx.sql,
        {
            "id": id_,
            "tenant": ctx.tenant,
            "kind": kind,
            "owner": owner(ctx),
            "actor": {
                "kind": actor.kind,
                "id": actor.id,
                "name": actor.name,
                "roles": sorted(actor.roles),
                "scopes": sorted(actor.scopes),
            },
            "purpose": ctx.purpose,
            "request": request,
            "wish": wish,
            "asked": ctx.clock.now(),
        },
    )
    if not kept:
        raise TooMany("Your last request of this kind is still at work; one at a time.", retry_after=60)
    ctx.trail.entities.append(f"bulk/{id_}")
    ctx.trail.wrote = True
    await jobs.enqueue(ctx, name, {"id": id_})
    return id_


async def look(ctx: Ctx, id_: str) -> tuple[Job, list[Made]]:
    """The job, and its files once it is done. Raises NotFound, Gone when it was cancelled or its files expired."""
    row = await store.find(ctx.sql, ctx.tenant, id_)
    if row is None or row["owner"] != owner(ctx):
        raise NotFound("There is no such bulk request of yours.")
    ctx.trail.entities.append(f"bulk/{id_}")
    if row["state"] == "cancelled":
        raise NotFound("This bulk request was cancelled.")
    if row["expires"] is not None and row["expires"] <= ctx.clock.now():
        raise Gone("The files of this request have expired.", remedy="Ask for a new export.")
    names = Job._fields
    job = Job(*(row[name] for name in names))
    return job, await store.files(ctx.sql, id_) if job.state == "done" else []


async def file(ctx: Ctx, id_: str, name: str) -> tuple[Job, Made]:
    """One file of a job that is done. Raises NotFound, Gone, Forbidden for a type no longer open to the asker."""
    job, _ = await look(ctx, id_)
    made = await store.file(ctx.sql, id_, name) if job.state == "done" else None
    if made is None:
        raise NotFound("There is no such file.")
    if job.kind == "export" and made.part == "output":
        await access.authorise(ctx, None, "R", what=made.type)
    ctx.trail.entities.append(f"bulk/{id_}/{name}")
    return job, made


async def cancel(ctx: Ctx, id_: str) -> None:
    """Stop the work if it goes on, and drop the files. Raises NotFound."""
    await look(ctx, id_)
    await store.cancel(ctx.sql, ctx.tenant, id_, ctx.clock.now())
    ctx.trail.wrote = True

    async def drop() -> None:
        shelf.remove(ctx.database, id_)

    ctx.then(drop)


class Run(NamedTuple):
    """One run of a job's work. ctx: as the client who asked. fence: which run this is."""

    ctx: Ctx
    id: str
    fence: int
    asked: datetime
    wish: dict[str, Any]
    place: dict[str, Any]
    done: int
    files: list[Made]


async def begin(ctx: Ctx, id_: str) -> Run | None:
    """Take the job over from wherever it stands; None when it is over, or was cancelled."""
    async with ctx.database.transaction() as sql:
        row = await store.begin(sql, ctx.tenant, id_, ctx.clock.now())
        if row is None:
            return None
        files = await store.files(sql, id_)
    who = row["actor"]
    actor = Actor(who["kind"], who["id"], who["name"], roles=frozenset(who["roles"]), scopes=frozenset(who["scopes"]))
    mine = ctx.with_(actor=actor, purpose=row["purpose"], origin=f"bulk:{id_}")
    return Run(mine, id_, row["fence"], row["asked"], row["wish"], row["place"], row["done"], files)


async def end(run: Run, state: str, why: str | None = None) -> None:
    """The work is over; the files of what failed, was cancelled or was overtaken are not wanted."""
    now = run.ctx.clock.now()
    async with run.ctx.database.transaction() as sql:
        await store.end(sql, run.id, run.fence, state, now, now + KEPT, why)
        row = await store.find(sql, run.ctx.tenant, run.id)
    if row is None or row["state"] in ("failed", "cancelled"):
        shelf.remove(run.ctx.database, run.id)


async def tidy(ctx: Ctx, _: dict[str, Any]) -> None:
    """Files that have expired go, with what was cancelled, what failed and what nobody knows of."""
    now = ctx.clock.now()
    async with ctx.database.transaction() as sql:
        await store.give_up(sql, now - STUCK, now, "The work did not move for a day.")
        over = await store.expired(sql, now)
        for id_ in over:
            shelf.remove(ctx.database, id_)
        await store.forget(sql, over)
        living = await store.living(sql)
    for id_ in shelf.jobs(ctx.database):
        if id_ not in living:
            shelf.remove(ctx.database, id_)
