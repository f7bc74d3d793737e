"""How a process of Bedside starts those that a large import is spread over (see import_lane)."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

import msgspec

from bedside.foundation.context import Actor, Ctx, Purpose
from bedside.foundation.errand import Errand
from bedside.foundation.settings import Ground, Settings
from bedside.records import settings as records_settings

MOST = 8
"""Lanes: beyond these PostgreSQL is what an import waits for."""


class Opening(msgspec.Struct):
    """What a lane is told first: where it works, and for whom."""

    home: str
    database_url: str
    public_url: str
    demo: bool
    actor: Actor
    purpose: Purpose
    tenant: int
    origin: str
    request: str
    reason: str | None

    @property
    def settings(self) -> Settings:
        """As the process that starts it has them."""
        return Settings(Path(self.home), self.database_url, "", public_url=self.public_url, demo=self.demo)


def settle(ground: Ground) -> None:
    """Large imports from this process are spread over as many lanes as there are cores."""
    many = min(MOST, len(os.sched_getaffinity(0)))
    records_settings.use_lanes(ground.database, records_settings.Lanes(many, partial(_start, ground.settings)))


async def _start(settings: Settings, ctx: Ctx) -> Errand:
    place = (str(settings.home), settings.database_url, settings.public_url, settings.demo)
    opening = Opening(*place, ctx.actor, ctx.purpose, ctx.tenant, ctx.origin, ctx.request, ctx.reason)
    return await Errand.start("bedside.app.import_lane", msgspec.msgpack.encode(opening))
