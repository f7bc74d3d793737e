"""A ward with a nurse, a doctor and an administrator, and an adult in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from bedside import access
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.jobs import Worker
from bedside.monitoring.alarms.model import Alarm
from bedside.monitoring.alarms.service import views
from bedside.monitoring.alarms.service.judge import judge
from bedside.monitoring.alarms.subscribers import JOBS, SWEEP, TIMER
from bedside.monitoring.alarms.testing import Reading
from bedside.monitoring.rules import service as rules

PATIENT = "patient-1"


@dataclass
class Ward:
    """ctx: the program's; nurse, doctor, admin, patient: each person's own."""

    ctx: Ctx
    clock: TurnableClock
    nurse: Ctx
    doctor: Ctx
    admin: Ctx
    patient: Ctx
    worker: Worker

    async def measure(self, *readings: Reading) -> None:
        """Judge readings in a transaction of their own."""
        async with access.work(self.ctx, "received readings") as ctx:
            await judge(ctx, PATIENT, readings)

    async def alarms(self, *, open_only: bool = True) -> list[Alarm]:
        """Those of the patient."""
        async with access.work(self.ctx, "looked", readonly=True) as ctx:
            return await views.alarms(ctx, patient=PATIENT, open_only=open_only)

    async def only(self) -> Alarm:
        """The one alarm there is, with its history."""
        (found,) = await self.alarms(open_only=False)
        async with access.work(self.ctx, "looked", readonly=True) as ctx:
            return await views.alarm(ctx, found.id)

    async def turn(self, **span: float) -> None:
        """Let time pass and what is due happen, by the wake-ups alone."""
        self.clock.turn(timedelta(**span))
        await self.worker.run_due()

    async def sweep(self) -> None:
        """What the periodic job does."""
        await JOBS[SWEEP](self.ctx, {})

    async def live(self, **span: float) -> None:
        """Let time pass with the sweep coming round as it does."""
        left = timedelta(**span)
        while left > timedelta(0):
            step = min(left, timedelta(seconds=20))
            self.clock.turn(step)
            await self.sweep()
            left -= step

    async def by(self, who: Ctx, deed: Callable[[Ctx], Awaitable[None]]) -> None:
        """Somebody does something, in a request of theirs."""
        async with access.work(who, "acted") as ctx:
            await deed(ctx)


@pytest.fixture
async def ward(ctx: Ctx, clock: TurnableClock) -> Ward:
    """See the module."""
    people: dict[str, Ctx] = {}
    async with access.work(ctx, "opened the ward") as work:
        await access.add_place(work, "ward", "Virtual ward", "ward")
        for role in ("nurse", "clinician", "administrator"):
            one = await access.add_person(work, access.NewPerson(name=role.title(), roles=frozenset({role}), id=role))
            people[role] = ctx.with_(actor=Actor("person", one.id, one.name, one.roles, one.reference), purpose="TREAT")
        new = access.NewPerson(name="Ana", roles=frozenset({"patient"}), id="ana", patient=PATIENT)
        ana = await access.add_person(work, new)
        patient = ctx.with_(actor=Actor("person", ana.id, ana.name, ana.roles, ana.reference), purpose="PATRQT")
        await access.place_patient(work, PATIENT, "ward", bed="1")
        await access.set_duty(work, person="nurse", place="ward", role="nurse", step=1)
        await access.set_duty(work, person="clinician", place="ward", role="clinician", step=2)
        await rules.set_profile(work, PATIENT, birth_date=date(1950, 3, 1))
    worker = Worker(ctx.database, ctx.bus, clock, {TIMER: JOBS[TIMER]})
    return Ward(ctx, clock, people["nurse"], people["clinician"], people["administrator"], patient, worker)
