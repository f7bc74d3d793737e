"""The wall in an app of its own, on real engines, as a nurse, and a ward of beds to look at."""

from __future__ import annotations

import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

import pytest
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send
from tests.web import browsing

from bedside import access, monitoring, records
from bedside.access.testing import acting
from bedside.foundation.bus import Bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.http import Errors, Guard
from bedside.web import kit, wall


def _told(event: str, *, exc_info: BaseException, **_: object) -> None:
    """What went wrong in the app, for whoever reads the test's output."""
    traceback.print_exception(exc_info)


class As:
    """Every request is of this ctx's person."""

    def __init__(self, app: ASGIApp, house: House) -> None:
        self.app, self.house = app, house

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})["ctx"] = self.house.who
        await self.app(scope, receive, send)


@dataclass
class House:
    """who: whom the app takes every request to come from."""

    ctx: Ctx
    nurse: Ctx
    display: Ctx
    who: Ctx
    patients: list[str]

    async def enter(self, patient: str, metric: str, value: float | str, **also: float) -> monitoring.Reading:
        """A nurse types a reading."""
        async with access.work(self.nurse, "entered a reading") as work:
            more = tuple(monitoring.Typed(name, other) for name, other in also.items())
            return await monitoring.enter_reading(
                work, monitoring.NewReading(patient, metric, value, also=more, confirmed=True)
            )


@pytest.fixture
async def house(database: Database, bus: Bus) -> House:
    """Two patients in a ward, a nurse on duty, a display in it."""
    base = Ctx(Actor("job", "tests", "tests", roles=frozenset({"system"})), "HOPERAT", 1, SystemClock(), database, bus)
    patients = ["patient-1", "patient-2"]
    async with access.work(base, "opened the ward") as work:
        await access.add_place(work, "ward", "Virtual ward", "ward")
        nurse = await access.add_person(
            work, access.NewPerson(name="Kim Park", roles=frozenset({"nurse"}), id="kim", pin="135790")
        )
        show = await access.add_person(
            work, access.NewPerson(name="Wall, Virtual ward", roles=frozenset({"display"}), id="screen")
        )
        await access.set_duty(work, person=nurse.id, place="ward", role="nurse")
        await access.set_duty(work, person=show.id, place="ward", role="display")
        for n, patient in enumerate(patients, 1):
            names = [{"given": ["Rosa"], "family": "Gil"}]
            await records.create(work, {"resourceType": "Patient", "name": names}, id=patient)
            await access.place_patient(work, patient, "ward", bed=str(n))
            await monitoring.set_profile(work, patient, birth_date=date(1950, 3, 1))
    as_nurse, as_display = acting(base, nurse), acting(base, show)
    as_nurse = as_nurse.with_(actor=Actor("person", nurse.id, nurse.name, nurse.roles, nurse.reference))
    as_display = as_display.with_(actor=Actor("person", show.id, show.name, show.roles, show.reference))
    return House(base, as_nurse, as_display, as_nurse, patients)


@asynccontextmanager
async def serving(house: House, port: int = 0) -> AsyncIterator[str]:
    """The app's address; port 0 takes a free one."""
    app = Starlette(
        routes=[*wall.ROUTES, *kit.ROUTES],
        middleware=[
            Middleware(Errors, page=kit.error_page, log=_told),
            Middleware(Guard),
            Middleware(As, house=house),
        ],
    )
    app.state.clinic = kit.Clinic("Riverside Clinic", "+1 555 0100", "911", "America/New_York")
    async with browsing.serving(app, port) as address:
        yield address


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """A browser that needs no gesture for sound."""
    async with browsing.chromium("--mute-audio") as browser:
        yield browser
