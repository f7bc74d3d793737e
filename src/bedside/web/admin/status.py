"""How the installation stands, for the administrator: what is wrong first, each with what to do; then what is in order,
the processes that run, and versions. The same looks as `bedside doctor`, from inside the running program.
"""

from __future__ import annotations

import asyncio
import platform
from datetime import timedelta
from typing import Any

from babel.dates import format_timedelta
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

import bedside
from bedside import access
from bedside.foundation import doctor, jobs, supervisor
from bedside.foundation.doctor import Finding
from bedside.foundation.errors import N_, Invalid
from bedside.foundation.home import Home
from bedside.foundation.http import ctx_of
from bedside.foundation.settings import Ground, Settings
from bedside.web.kit import page_of, render, translator

RANK = {"bad": 0, "note": 1, "good": 2}


async def page(request: Request) -> Response:
    """GET /admin/status."""
    async with access.work(ctx_of(request), "opened the status of the installation", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        parked = await jobs.parked(ctx.sql)
        postgres = await doctor.version(ctx.sql)
    ground: Ground = request.app.state.ground
    settings: Settings = request.app.state.settings
    home = Home(settings.home)
    running = home.running() or {}
    # Files and the clock are looked at beside the work of others.
    found = await asyncio.to_thread(_local, home, running, own=settings.own_database)
    found += [doctor.bus(connected=ground.bus.connected), *await doctor.contents(ground.database, running=True)]
    found.sort(key=lambda one: RANK[one.state])
    language = page_of(request).language
    _ = translator(language)

    def span(age: timedelta) -> str:
        return str(format_timedelta(age, locale=language))

    said = [(one.state, *one.said(_, span)) for one in found if not one.msgid.startswith("The job ")]
    memory = supervisor.memory(list(running.get("processes", {}).values()))
    processes = [(name, memory.get(pid)) for name, pid in sorted(running.get("processes", {}).items())]
    return render(
        request,
        "admin/status.html",
        bad=[one for one in said if one[0] == "bad"],
        notes=[one for one in said if one[0] == "note"],
        good=[one for one in said if one[0] == "good"],
        parked=parked[:50],
        processes=[(name, None if size is None else size >> 20) for name, size in processes],
        versions=[
            ("Bedside", bedside.__version__),
            ("Python", platform.python_version()),
            ("PostgreSQL", postgres),
            ("NATS", _nats(ground)),
        ],
        released="released" in request.query_params,
        home=str(settings.home),
    )


def _local(home: Home, running: dict[str, Any], *, own: bool) -> list[Finding]:
    return [
        doctor.disk(home.path),
        doctor.clock(),
        doctor.recent_ends(home),
        *doctor.certificate(running),
        *doctor.backups(home, running=True, own=own),
        *doctor.downtime(home, running=True),
    ]


def _nats(ground: Ground) -> str:
    if not ground.bus.connected:
        return "–"
    version = ground.bus.client.connected_server_version
    return f"{version.major}.{version.minor}.{version.patch}"


async def release(request: Request) -> Response:
    """POST /admin/status/release: a parked job goes back to the queue. Raises Invalid."""
    form = await request.form()
    try:
        number = int(str(form.get("job") or ""))
    except ValueError:
        raise Invalid(N_("There is no such job."), where="job") from None
    async with access.work(ctx_of(request), "released a parked job") as ctx:
        await access.require(ctx, "administrator")
        await jobs.release(ctx.sql, [number])
        ctx.trail.wrote = True
        ctx.trail.entities.append(f"job/{number}")
    return RedirectResponse("/admin/status?released", 303)
