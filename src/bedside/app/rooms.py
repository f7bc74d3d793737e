"""What every room gives to the processes: routes, jobs, settings, and what runs beside them.

A room that lands adds its line to each list below that concerns it.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from bedside import access, records
from bedside.access import routes as access_routes
from bedside.access import settings as access_settings
from bedside.access import subscribers as access_subscribers
from bedside.app import downtime, lanes
from bedside.demo import seeding
from bedside.exchange import subscribers as exchange_subscribers
from bedside.foundation import jobs, routes, telemetry
from bedside.foundation.bus import Bus
from bedside.foundation.context import NOBODY, Actor, Ctx
from bedside.foundation.settings import Ground, Settings
from bedside.messaging import routes as messaging_routes
from bedside.messaging import settings as messaging_settings
from bedside.messaging import subscribers as messaging_subscribers
from bedside.monitoring import routes as monitoring_routes
from bedside.monitoring import settings as monitoring_settings
from bedside.monitoring import subscribers as monitoring_subscribers
from bedside.orders import subscribers as orders_subscribers
from bedside.prescribing import subscribers as prescribing_subscribers
from bedside.records import routes as records_routes
from bedside.records import settings as records_settings
from bedside.records import subscribers as records_subscribers
from bedside.visits import routes as visits_routes
from bedside.visits import subscribers as visits_subscribers
from bedside.web import (
    admin,
    clinician,
    desk,
    devices,
    entry,
    kit,
    messages,
    patient,
    pharmacy,
    readings,
    rota,
    visit,
    wall,
    work,
)
from bedside.web.clinician import prescribe
from bedside.web.downtime import paper

Lifespan = Callable[[Ground], AbstractAsyncContextManager[None]]
BusHandler = Callable[[Ctx, str, Any], Awaitable[None]]


def _access_settings(ground: Ground) -> None:
    settings = ground.settings
    mine = access_settings.Settings(home=settings.home, public_url=settings.public_url, demo=settings.demo)
    access_settings.use(ground.database, mine)
    messaging_settings.use(
        ground.database,
        messaging_settings.Settings.of_environment(os.environ, demo=settings.demo),
    )
    monitoring_settings.use(
        ground.database,
        monitoring_settings.Settings.of_words(
            os.environ.get("BEDSIDE_DEVICE_MESSAGES", ""),
            os.environ.get("BEDSIDE_WAVEFORM_DAYS", ""),
            os.environ.get("BEDSIDE_PRESSURE_SCHEME", ""),
            os.environ.get("BEDSIDE_NATS_COPIES", ""),
            functions=ground.settings.demo,
        ),
    )
    chosen = ("BEDSIDE_DELETIONS", "BEDSIDE_REFERENCES", "BEDSIDE_CONDITIONAL_DELETE_MANY")
    records_settings.use(
        ground.database, records_settings.Settings.of_words(*(os.environ.get(name, "") for name in chosen))
    )


@asynccontextmanager
async def _devices_wire(ground: Ground) -> AsyncIterator[None]:
    """Devices' sign-in and readings, until the process stops."""
    stop = asyncio.Event()
    system = None
    if ground.settings.nats_system_url:
        system = await Bus.connect(ground.settings.nats_system_url, name="bedside ingest system")
    ctx = ground.ctx(Actor("job", "ingest", "ingest", roles=frozenset({"system"})), origin="ingest")
    wire = asyncio.create_task(
        monitoring_subscribers.ingest(
            ctx,
            seed=ground.settings.callout_seed,
            system=system,
            stop=stop,
            broker_log=Path(ground.settings.home) / "nats" / "nats.log",
        )
    )

    def ended(task: asyncio.Task[None]) -> None:
        if not stop.is_set():  # the supervisor starts this process again, which begins from the durable state
            telemetry.logger("ingest").error("the wire broke", exc_info=task.exception())
            os._exit(1)

    wire.add_done_callback(ended)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait({wire}, timeout=3)
        if system is not None:
            await system.close()


@asynccontextmanager
async def mllp_door(ground: Ground, door: socket.socket) -> AsyncIterator[None]:
    """HL7 v2 of other systems on this listening socket."""
    settings = ground.settings
    tls = (settings.tls_cert, settings.tls_key) if settings.tls_cert and settings.tls_key else None
    ctx = ground.ctx(Actor("job", "mllp", "mllp", roles=frozenset({"system"})), origin="mllp")
    async with exchange_subscribers.listening(ctx, door, tls):
        yield


for _provider in monitoring_subscribers.READ_PROVIDERS:
    records.provide(_provider)
for _governed in (
    *messaging_subscribers.GOVERNED,
    *monitoring_subscribers.GOVERNED,
    *visits_subscribers.GOVERNED,
    *prescribing_subscribers.GOVERNED,
):
    records.govern(_governed)
for _heeded in (*monitoring_subscribers.HEEDED, *orders_subscribers.HEEDED):
    records.heed(_heeded)

OPEN: list[Callable[[Ground], None]] = [_access_settings, records_subscribers.settle, lanes.settle]
"""What each process tells each room once its engines are open: settings."""

ROUTES: list[BaseRoute] = [
    *records_routes.ROUTES,  # the busiest first
    *routes.ROUTES,
    *kit.ROUTES,
    *monitoring_routes.ROUTES,
    *access_routes.ROUTES,
    *messaging_routes.ROUTES,
    *entry.ROUTES,
    *admin.ROUTES,
    *rota.ROUTES,
    *visits_routes.ROUTES,
    *visit.ROUTES,
    *prescribe.ROUTES,
    *readings.ROUTES,
    *paper.ROUTES,
    *devices.ROUTES,
    *messages.ROUTES,
    *desk.ROUTES,
    *clinician.ROUTES,
    *patient.ROUTES,
    *pharmacy.ROUTES,
    *work.ROUTES,
    *wall.ROUTES,
]
"""Every room's ROUTES and every journey's, in the order they are tried."""

JOBS: dict[str, jobs.Handler] = {
    **access_subscribers.JOBS,
    **exchange_subscribers.JOBS,
    **messaging_subscribers.JOBS,
    **monitoring_subscribers.JOBS,
    **orders_subscribers.JOBS,
    **records_subscribers.JOBS,
    **visits_subscribers.JOBS,
}
"""Every room's subscribers.JOBS."""

EVERY: dict[str, timedelta] = {
    **access_subscribers.EVERY,
    **exchange_subscribers.EVERY,
    **messaging_subscribers.EVERY,
    **monitoring_subscribers.EVERY,
    **records_subscribers.EVERY,
}
"""Jobs that come round by themselves: every room's subscribers.EVERY."""

BUS: dict[str, BusHandler] = {}
"""Every room's subscribers.BUS: heard by one worker each."""

WEB: list[Lifespan] = []
"""What runs beside the requests of each web process."""

WORKER: list[Lifespan] = [access_subscribers.sealing, downtime.writing]
"""What runs beside the jobs of each worker."""

INGEST: list[Lifespan] = [_devices_wire]
"""What takes readings: entered when the ingest process starts, left when it stops."""


async def _seed(ground: Ground, say: Callable[[str], None]) -> None:
    """The demo's clinic, once."""
    settings = ground.settings
    if not settings.demo:
        return
    say(f"Looking after the demo's clinic of {settings.patients} patients …")
    if await seeding.seed(ground.ctx(NOBODY), settings.home, patients=settings.patients, seed=settings.seed):
        say(f"Invented {settings.patients} patients, their histories, staff and devices (seed {settings.seed}).")


async def _greet(ground: Ground, say: Callable[[str], None]) -> None:
    """A clinic of which nobody has said anything, or in which nobody can sign in, says how that is done."""
    ctx = ground.ctx(Actor("job", "prepare", "prepare", roles=frozenset({"system"})), origin="prepare")
    async with access.work(ctx, "looked whether anybody can sign in", readonly=True) as inner:
        if await access.clinics.clinic(inner) is None:
            say("Nobody has said yet whose clinic this is: its pages show no telephone and no emergency number.")
            say("It can be said while this runs, with the same --home or --database-url:")
            say("  bedside init")
        elif not await access.people(inner, role="administrator"):
            say("Nobody can sign in yet. For an administrator's one-time link, with the same options:")
            say('  bedside person add "THEIR NAME" --email ADDRESS')


PREPARE: list[Callable[[Ground, Callable[[str], None]], Awaitable[None]]] = [
    access_subscribers.fits,
    _seed,
    _greet,
]
"""What must be there before anything runs, after the migrations: rules, the demo's clinic. Run at every start."""


async def open_ground(
    settings: Settings,
    process: str,
    connections: int = 4,
    *,
    patient: bool = False,
    idle: float | None = None,
    patience: float | None = None,
) -> Ground:
    """The process's database, bus and clock, with every room's settings told."""
    ground = await Ground.open(
        settings, process, connections=connections, patient=patient, idle=idle, patience=patience
    )
    for tell in OPEN:
        tell(ground)
    return ground
