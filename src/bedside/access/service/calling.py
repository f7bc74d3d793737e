"""Asking to be called, by who cannot sign in: work for those who take care of patients.

Nothing is looked up when somebody asks, so that no answer and no time tells whether they are known here; who it may be
is looked for by the colleague who takes it. No telephone number is asked for: the record's is called, or none.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bedside.access.service import limits
from bedside.access.service.decide import require
from bedside.access.service.unit import work
from bedside.access.store import recovery as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid, NotFound
from bedside.foundation.ids import uuid7

CARE = ("clinician", "nurse")
MOST = 200
"""How many are listed at once, the longest waiting first."""
Outcome = Literal["let-in", "not-reached", "not-sure", "nobody"]
OUTCOMES: tuple[Outcome, ...] = ("let-in", "not-reached", "not-sure", "nobody")


@dataclass(frozen=True, slots=True)
class CallBack:
    """Somebody who waits to be called. given, family, birth (1951-03-02): as they typed them. asked: when."""

    id: str
    given: str
    family: str
    birth: str
    asked: datetime

    @property
    def name(self) -> str:
        """As it is spoken."""
        return " ".join(filter(None, (self.given, self.family)))


async def ask(ctx: Ctx, *, given: str, family: str, birth: str) -> None:
    """Whoever it is: the answer is the same. Raises TooMany."""
    await limits.spend(ctx, "call-back", ctx.origin)
    async with work(ctx, "asked to be called") as inner:
        said = {"given": given, "family": family, "birth": birth}
        await store.ask(inner.sql, inner.tenant, uuid7(), said, inner.clock.now())
        inner.trail.wrote = True


async def waiting(ctx: Ctx) -> list[CallBack]:
    """Who waits to be called, the longest first. Raises Forbidden."""
    await require(ctx, *CARE)
    rows = await store.waiting(ctx.sql, ctx.tenant, None, MOST)
    ctx.trail.entities += [f"call-back/{row['id']}" for row in rows]
    return [_read(row["id"], row["said"], row["asked"]) for row in rows]


async def how_many(ctx: Ctx) -> int:
    """The same, counted. Raises Forbidden."""
    await require(ctx, *CARE)
    return await store.how_many(ctx.sql, ctx.tenant)


async def one(ctx: Ctx, id: str) -> CallBack:
    """One of them, nobody else's to close until the transaction ends. Raises Forbidden, NotFound once it is closed."""
    await require(ctx, *CARE)
    rows = await store.waiting(ctx.sql, ctx.tenant, id)
    if not rows:
        raise NotFound("Somebody has seen to this call already.", remedy="Look at the list of those who wait.")
    ctx.trail.entities.append(f"call-back/{id}")
    return _read(rows[0]["id"], rows[0]["said"], rows[0]["asked"])


def _read(id: str, said: dict[str, str], asked: datetime) -> CallBack:
    return CallBack(id, said.get("given", ""), said.get("family", ""), said.get("birth", ""), asked)


async def close(ctx: Ctx, id: str, outcome: str) -> None:
    """What came of it; what they typed is not kept. Raises Forbidden, Invalid, NotFound."""
    found = next((known for known in OUTCOMES if known == outcome), None)
    if found is None:
        raise Invalid("Say what came of it.", where="outcome")
    await one(ctx, id)
    await store.close(ctx.sql, ctx.tenant, id, found, ctx.actor.id, ctx.clock.now())
    ctx.trail.wrote = True
