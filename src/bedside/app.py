"""Composition root: the only module that knows every room; builds the web, worker and ingest processes.

A room that lands adds its line to each list below that concerns it.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvloop
from granian.utils.proxies import wrap_asgi_with_proxy_headers
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bedside import access, monitoring, records
from bedside.access import routes as access_routes
from bedside.access import settings as access_settings
from bedside.access import subscribers as access_subscribers
from bedside.demo import devices as demo_devices
from bedside.demo import guide, seeding
from bedside.demo.people import CLINIC
from bedside.foundation import jobs, routes, telemetry
from bedside.foundation.bounded import Bounded
from bedside.foundation.bus import Bus, no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import NOBODY, Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.errors import N_, Invalid, NotFound, Unavailable
from bedside.foundation.http import Errors, Guard
from bedside.foundation.measured import Measured
from bedside.foundation.migrate import migrate
from bedside.foundation.named import OneName
from bedside.foundation.serving import serve
from bedside.foundation.settings import Ground, Settings
from bedside.messaging import settings as messaging_settings
from bedside.messaging import subscribers as messaging_subscribers
from bedside.monitoring import subscribers as monitoring_subscribers
from bedside.prescribing import subscribers as prescribing_subscribers
from bedside.records import routes as records_routes
from bedside.records import settings as records_settings
from bedside.records import subscribers as records_subscribers
from bedside.visits import routes as visits_routes
from bedside.visits import settings as visits_settings
from bedside.visits import subscribers as visits_subscribers
from bedside.web import admin, clinician, devices, entry, kit, patient, pharmacy, readings, visit, wall
from bedside.web.clinician import prescribe

Lifespan = Callable[[Ground], AbstractAsyncContextManager[None]]
BusHandler = Callable[[Ctx, str, Any], Awaitable[None]]


def _access_settings(ground: Ground) -> None:
    settings = ground.settings
    mine = access_settings.Settings(home=settings.home, public_url=settings.public_url, demo=settings.demo)
    access_settings.use(ground.database, mine)
    messaging_settings.use(
        ground.database,
        messaging_settings.Settings(
            demo=settings.demo,
            smtp=os.environ.get("BEDSIDE_SMTP_URL"),
            sender=os.environ.get("BEDSIDE_SMTP_FROM", "bedside@localhost"),
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


for _provider in monitoring_subscribers.READ_PROVIDERS:
    records.provide(_provider)
for _governed in (*monitoring_subscribers.GOVERNED, *visits_subscribers.GOVERNED, *prescribing_subscribers.GOVERNED):
    records.govern(_governed)
for _heeded in monitoring_subscribers.HEEDED:
    records.heed(_heeded)

OPEN: list[Callable[[Ground], None]] = [_access_settings, records_subscribers.settle]
"""What each process tells each room once its engines are open: settings."""

ROUTES: list[BaseRoute] = [
    *records_routes.ROUTES,  # the busiest first
    *routes.ROUTES,
    *kit.ROUTES,
    *access_routes.ROUTES,
    *entry.ROUTES,
    *admin.ROUTES,
    *visits_routes.ROUTES,
    *visit.ROUTES,
    *prescribe.ROUTES,
    *readings.ROUTES,
    *devices.ROUTES,
    *clinician.ROUTES,
    *patient.ROUTES,
    *pharmacy.ROUTES,
    *wall.ROUTES,
]
"""Every room's ROUTES and every journey's, in the order they are tried."""

JOBS: dict[str, jobs.Handler] = {
    **access_subscribers.JOBS,
    **messaging_subscribers.JOBS,
    **monitoring_subscribers.JOBS,
    **records_subscribers.JOBS,
    **visits_subscribers.JOBS,
}
"""Every room's subscribers.JOBS."""

EVERY: dict[str, timedelta] = {
    **access_subscribers.EVERY,
    **monitoring_subscribers.EVERY,
    **records_subscribers.EVERY,
}
"""Jobs that come round by themselves: every room's subscribers.EVERY."""

BUS: dict[str, BusHandler] = {}
"""Every room's subscribers.BUS: heard by one worker each."""

WEB: list[Lifespan] = []
"""What runs beside the requests of each web process."""

WORKER: list[Lifespan] = [access_subscribers.sealing]
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


PREPARE: list[Callable[[Ground, Callable[[str], None]], Awaitable[None]]] = [_seed]
"""What must be there before anything runs, after the migrations: rules, the demo's clinic. Run at every start."""


async def _open(settings: Settings, process: str, connections: int = 4, *, patient: bool = False) -> Ground:
    ground = await Ground.open(settings, process, connections=connections, patient=patient)
    for tell in OPEN:
        tell(ground)
    return ground


class Recognised:
    """access's session middleware, made once the engines are open: who asks, and their ctx."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sessions: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.sessions is None and scope["type"] in {"http", "websocket"}:
            ground: Ground = scope["app"].state.ground
            self.sessions = access_routes.Sessions(self.app, ground.database, ground.bus, ground.clock)
        await (self.sessions or self.app)(scope, receive, send)


def build_web(settings: Settings, stopping: asyncio.Event | None = None) -> ASGIApp:
    """The whole web application. stopping: set when the program stops; found at app.state.stopping."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            ground = await _open(settings, "web", connections=8, patient=True)
            stack.push_async_callback(ground.close)
            app.state.ground = ground
            for enter in WEB:
                await stack.enter_async_context(enter(ground))
            yield

    app = Starlette(
        routes=ROUTES,
        lifespan=lifespan,
        exception_handlers={HTTPException: _as_ours},
        middleware=[
            Middleware(Measured),
            Middleware(Errors, page=kit.error_page, log=telemetry.logger("web").error),
            Middleware(Bounded, doors=records_routes.BOUNDS),
            Middleware(Guard, origins=frozenset({settings.public_url}), secure=settings.secure),
            Middleware(OneName, public_url=settings.public_url, public_host=settings.public_host),
            Middleware(Recognised),
        ],
    )
    app.state.settings = settings
    app.state.stopping = stopping or asyncio.Event()
    app.state.visits = visits_settings.VisitSettings(settings.turn_urls, settings.turn_secret, kit.told_to)
    app.state.clinic = kit.Clinic(**CLINIC) if settings.demo else kit.Clinic()
    app.state.suggest = guide.suggest if settings.demo else None
    if settings.trusted_proxy:
        wrapped: ASGIApp = wrap_asgi_with_proxy_headers(app, trusted_hosts=settings.trusted_proxy)
        return wrapped
    return app


async def _as_ours(_: Request, error: Exception) -> Response:
    """What Starlette itself refuses is told as everything else is."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        raise NotFound(
            N_("There is nothing at this address."), remedy=N_("Check the address, or begin at the start page.")
        )
    refusal = Invalid(N_("This address does not take that."), remedy=N_("Check the method and what is sent."))
    refusal.status = status
    raise refusal


async def run_worker(settings: Settings) -> None:
    """Jobs, timers and bus subscribers until SIGTERM; jobs under way get 3 s to end."""
    ground = await _open(settings, "worker", connections=8, patient=True)
    worker = jobs.Worker(ground.database, ground.bus, ground.clock, JOBS, every=EVERY)
    try:
        async with AsyncExitStack() as stack:
            for enter in WORKER:
                await stack.enter_async_context(enter(ground))
            hearing = asyncio.create_task(_subscribe(ground, BUS))
            running = asyncio.create_task(worker.run())
            await _told_to_stop()
            worker.stop()
            await asyncio.wait({running}, timeout=3)
            for task in (hearing, running):
                task.cancel()
    finally:
        await ground.close()


async def _subscribe(ground: Ground, handlers: Mapping[str, BusHandler]) -> None:
    log = telemetry.logger("bus")
    await ground.bus.there()
    for subject, handler in handlers.items():

        async def heard(name: str, payload: Any, handler: BusHandler = handler) -> None:
            try:
                await handler(ground.ctx(NOBODY, origin=f"bus:{name}"), name, payload)
            except Exception:
                log.exception("a bus handler failed", subject=name.partition(".")[0])

        await ground.bus.subscribe(subject, heard, queue="worker")


async def run_ingest(settings: Settings) -> None:
    """Devices' readings until SIGTERM."""
    ground = await _open(settings, "ingest", connections=6, patient=True)
    try:
        await ground.bus.there()
        async with AsyncExitStack() as stack:
            for enter in INGEST:
                await stack.enter_async_context(enter(ground))
            await _told_to_stop()
    finally:
        await ground.close()


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


async def run_prepare(settings: Settings, say: Callable[[str], None]) -> None:
    """Migrations, safe settings, then what rooms prepare. Raises BedsideError."""
    steps = await migrate(settings.database_url)
    if steps:
        say(f"Database brought up to date ({steps} steps).")
    database = await Database.connect(settings.database_url, size=1, name="bedside prepare")
    try:
        if unsafe := await database.unsafe_settings():
            raise Unavailable("This PostgreSQL may lose what it has acknowledged.", remedy="; ".join(unsafe) + ".")
    finally:
        await database.close()
    ground = await _open(settings, "prepare")
    try:
        for step in PREPARE:
            await step(ground, say)
    finally:
        await ground.close()


async def add_client(settings: Settings, name: str, scope: str, jwks: dict[str, Any] | None) -> dict[str, Any]:
    """Register a backend client from the command line: client_id, client_secret, scope. Raises Invalid."""
    async with _operator(settings) as ctx, access.work(ctx, "registered a backend client") as inner:
        made = await access.add_client(inner, name, scope, jwks=jwks)
    return {
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "name": made.name,
        "scope": " ".join(sorted(made.scopes)),
    }


async def add_person(settings: Settings, name: str, email: str, role: str) -> str:
    """Add a colleague from the command line; their one-time link, good for 7 days. Raises Invalid, Conflict."""
    async with _operator(settings) as ctx, access.work(ctx, "added a colleague") as inner:
        made = await access.add_person(inner, access.NewPerson(name=name, roles=frozenset({role}), email=email))
        return await access.sign_in.invite(inner, made.id)


async def verify_audit(settings: Settings, progress: Callable[[int], None]) -> access.AuditReport:
    """Check the audit's chain against the home's signed heads."""
    async with _operator(settings) as ctx:
        return await access.verify_audit(ctx.database, settings.home, ctx.clock, progress)


async def add_device(
    settings: Settings, patient: str, kind: str, label: str = "", method: str | None = None
) -> monitoring.DeviceCredentials:
    """Give a patient a device from the command line. Raises BedsideError."""
    async with _operator(settings) as ctx, access.work(ctx, "added a device") as inner:
        new = monitoring.NewDevice(kind=kind, patient=patient, label=label, method=method)
        return await monitoring.add_device(inner, new)


async def import_records(settings: Settings, path: Path, tell: Callable[[int], None]) -> records.Report:
    """Keep the resources of FHIR files; tell is given the bytes done. Raises BedsideError."""
    async with _operator(settings) as ctx:
        return await records.load(ctx, path, tell)


async def export_records(
    settings: Settings, path: Path, wish: records.Export, tell: Callable[[int, int], None]
) -> Counter[str]:
    """Write the record into a folder, as import_records reads it; how many of each type. Raises BedsideError."""
    async with _operator(settings) as ctx:
        return await records.save(ctx, path, wish, tell)


@asynccontextmanager
async def _operator(settings: Settings) -> AsyncIterator[Ctx]:
    """The ctx of whoever stands at the console; no bus is needed."""
    database = await Database.connect(settings.database_url, size=2, name="bedside command")
    try:
        mine = access_settings.Settings(home=settings.home, public_url=settings.public_url, demo=settings.demo)
        access_settings.use(database, mine)
        actor = Actor("job", "command", "the operator's console", roles=frozenset({"system"}))
        yield Ctx(actor, "SYSADMIN", 1, SystemClock(), database, no_bus(), origin="console")
    finally:
        await database.close()


async def parked_jobs(settings: Settings) -> list[jobs.Parked]:
    """What failed for good."""
    async with _operator(settings) as ctx, ctx.database.connection() as sql:
        return await jobs.parked(sql)


async def release_jobs(settings: Settings, ids: list[int]) -> None:
    """Try those parked jobs again."""
    async with _operator(settings) as ctx, ctx.database.connection() as sql:
        await jobs.release(sql, ids)


class Bedside:
    """The program that foundation.installation runs."""

    def prepare(self, settings: Settings, say: Callable[[str], None]) -> None:
        """See run_prepare."""
        _run("prepare", run_prepare(settings, say))

    def web(self, settings: Settings, door: socket.socket, ready: Callable[[], None]) -> None:
        """Serve HTTP."""
        tls = (settings.tls_cert, settings.tls_key) if settings.tls_cert and settings.tls_key else None
        _run("web", serve(lambda stopping: build_web(settings, stopping), door, tls=tls, ready=ready))

    def worker(self, settings: Settings) -> None:
        """Run jobs."""
        _run("worker", run_worker(settings))

    def ingest(self, settings: Settings) -> None:
        """Take readings."""
        _run("ingest", run_ingest(settings))

    def devices(self, settings: Settings) -> None:
        """The demo's devices."""
        cards = demo_devices.unpack(settings.home / seeding.CARDS)
        _run("devices", demo_devices.run(cards, settings.mqtt_host, settings.mqtt_port))

    def welcome(self, settings: Settings) -> str:
        """Where it is, and in the demo who can sign in."""
        where = f"Bedside runs at {settings.public_url} (Ctrl-C stops it)"
        return f"{where}\n{seeding.sign_ins(settings.public_url)}" if settings.demo else where


def _run(process: str, body: Coroutine[Any, Any, None]) -> None:
    telemetry.configure(process)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body)
