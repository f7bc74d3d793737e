"""The processes: web, worker, ingest, what is prepared before them, and the demo's devices."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import Any

import uvloop

from bedside import access
from bedside.app.rooms import BUS, EVERY, INGEST, JOBS, PREPARE, WORKER, BusHandler, mllp_door, open_ground
from bedside.app.upgrading import upgrade
from bedside.app.web import build_web
from bedside.demo import devices as demo_devices
from bedside.demo import seeding
from bedside.foundation import jobs, telemetry
from bedside.foundation.context import NOBODY
from bedside.foundation.installation import backups_told
from bedside.foundation.serving import serve
from bedside.foundation.settings import Ground, Settings


async def run_worker(settings: Settings) -> None:
    """Jobs, timers and bus subscribers until SIGTERM; jobs under way get 3 s to end."""
    ground = await open_ground(settings, "worker", connections=8, patient=True)
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


STOPPED = 5.0
"""Seconds after which a transaction of an ingest process that does not go on is ended: others judge its patients."""


async def run_ingest(settings: Settings, mllp: socket.socket | None = None) -> None:
    """Readings of devices, and of other systems where there is a socket for them, until SIGTERM."""
    ground = await open_ground(settings, "ingest", connections=10, patient=True, idle=STOPPED)
    try:
        async with AsyncExitStack() as stack:
            if mllp is not None:
                # Before the bus is waited for: HL7 v2 needs PostgreSQL alone.
                await stack.enter_async_context(mllp_door(ground, mllp))
            await ground.bus.there()
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
    """Safe settings, migrations, then what rooms prepare. Raises BedsideError; an unsafe PostgreSQL is not touched, nor
    is a clinic of which no backup is made before its steps, unless --migrate said so."""
    without = settings.migrate and not (settings.own_database and backups_told(settings.home))
    steps = await upgrade(settings, say, without="serve --migrate" if without else "")
    if steps:
        say(f"Database brought up to date ({steps} steps).")
    ground = await open_ground(settings, "prepare")
    try:
        for step in PREPARE:
            await step(ground, say)
        if not settings.demo and await access.clinics.known(ground.database) is None:
            say(f"Nobody has said yet whose clinic this is, so nobody can sign in: bedside init --home {settings.home}")
    finally:
        await ground.close()


class Bedside:
    """The program that foundation.installation runs."""

    def prepare(self, settings: Settings, say: Callable[[str], None]) -> None:
        """See run_prepare."""
        _run("prepare", run_prepare(settings, say))

    def web(self, settings: Settings, door: socket.socket, ready: Callable[[], None]) -> None:
        """Serve HTTP."""
        _run("web", serve(lambda stopping: build_web(settings, stopping), door, tls=settings.web_tls, ready=ready))

    def worker(self, settings: Settings) -> None:
        """Run jobs."""
        _run("worker", run_worker(settings))

    def ingest(self, settings: Settings, mllp: socket.socket | None = None) -> None:
        """Take readings."""
        _run("ingest", run_ingest(settings, mllp))

    def devices(self, settings: Settings) -> None:
        """The demo's devices."""
        cards = demo_devices.unpack(settings.home / seeding.CARDS)
        _run("devices", demo_devices.run(cards, settings.mqtt_host, settings.mqtt_port))

    def welcome(self, settings: Settings) -> str:
        """Where it is, and in the demo who can sign in."""
        where = f"Bedside runs at {settings.public_url} (Ctrl-C stops it)"
        if settings.mllp_port and not settings.demo:
            where += f"\nHL7 v2 (MLLP) listens at {settings.mllp_host}:{settings.mllp_port}, " + (
                "with TLS." if settings.tls_cert else "in plain text: it belongs inside a VPN or behind TLS."
            )
        if settings.tls_cert and settings.web_tls is None:
            where += (
                f"\nIts pages are at {settings.host}:{settings.port} in plain HTTP, for the proxy at "
                f"{settings.trusted_proxy}; the certificate is for what comes past it."
            )
        return f"{where}\n{seeding.sign_ins(settings.public_url)}" if settings.demo else where


def _run(process: str, body: Coroutine[Any, Any, None]) -> None:
    telemetry.configure(process)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(body)
