"""Old notices go; what is work for a person, or on its way, stays however old it is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.messaging.service import keeping
from bedside.monitoring.retention import service
from bedside.monitoring.retention.model import NOTICES

pytestmark = pytest.mark.engine

KEPT = {
    # name: state, whether nobody opened it in time, whether somebody has seen to it
    "gone": ("sent", False, False),
    "arrived": ("delivered", False, False),
    "seen-to": ("failed", False, True),
    "failed": ("failed", False, False),
    "unanswered": ("sent", True, False),
    "waiting": ("waiting", False, False),
}


async def filled(ctx: Ctx, days: int, mark: str) -> None:
    at = ctx.clock.now() - timedelta(days=days)
    async with access.work(ctx, "filled a test") as inner:
        for name, (state, unanswered, closed) in KEPT.items():
            await inner.sql.execute(
                """insert into messaging.notice (id, tenant, person, template, channel, subject, created, state,
                   unanswered, closed) values ($1, 1, 'p', 'visits.link', 'email', 's', $2, $3, $4, $5)""",
                *(f"{mark}-{name}", at, state, unanswered, at if closed else None),
            )


async def left(ctx: Ctx) -> set[str]:
    async with access.work(ctx, "looked", readonly=True) as inner:
        return {row["id"] for row in await inner.sql.fetch("select id from messaging.notice")}


async def test_without_a_policy_they_go_after_two_years(ctx: Ctx, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeping, "ROWS", 2)  # more than one transaction
    await filled(ctx, NOTICES + 2, "old")
    await filled(ctx, NOTICES - 2, "young")
    done = await service.keep_house(ctx)
    assert done[1].notices == 3
    stay = {f"old-{name}" for name in ("failed", "unanswered", "waiting")}
    assert await left(ctx) == stay | {f"young-{name}" for name in KEPT}
    assert (await service.keep_house(ctx))[1].notices == 0, "once more does nothing"


async def test_the_clinics_word_holds(ctx: Ctx) -> None:
    await filled(ctx, 120, "old")
    pat = acting(ctx, await someone(ctx, "administrator", name="Pat Morgan"))
    async with access.work(pat, "looked ahead") as inner:
        ahead = await monitoring.preview_retention(inner, "notices", None, 100)
        assert (ahead.deleted, ahead.evidence) == (3, 3)
        await monitoring.set_retention(inner, "notices", None, 100, "fewer is better")
    assert (await service.keep_house(ctx))[1].notices == 3
    async with access.work(pat, "kept all from now on") as inner:
        await monitoring.set_retention(inner, "notices", None, None, "a court asked")
    await filled(ctx, 5000, "older")
    assert (await service.keep_house(ctx))[1].notices == 0
