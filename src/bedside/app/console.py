"""What an operator asks from the command line, each in a transaction of its own, audited as the operator's."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from bedside import access, exchange, monitoring, records
from bedside.app.rooms import OPEN
from bedside.foundation import jobs
from bedside.foundation.bus import no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.database import Database
from bedside.foundation.settings import Ground, Settings


async def add_client(settings: Settings, name: str, scope: str, jwks: dict[str, Any] | None) -> dict[str, Any]:
    """Register a backend client from the command line: client_id, client_secret, scope. Raises Invalid."""
    async with operator(settings) as ctx, access.work(ctx, "registered a backend client") as inner:
        made = await access.add_client(inner, name, scope, jwks=jwks)
    return {
        "client_id": made.client_id,
        "client_secret": made.client_secret,
        "name": made.name,
        "scope": " ".join(sorted(made.scopes)),
    }


async def add_person(settings: Settings, name: str, email: str, role: str) -> str:
    """Add a colleague from the command line; their one-time link, good for 7 days. Raises Invalid, Conflict."""
    async with operator(settings) as ctx, access.work(ctx, "added a colleague") as inner:
        made = await access.add_person(inner, access.NewPerson(name=name, roles=frozenset({role}), email=email))
        return await access.sign_in.invite(inner, made.id)


async def begin_anew(settings: Settings, email: str) -> tuple[str, str]:
    """A colleague's name and the one-time link by which they begin anew, good for an hour. Raises NotFound."""
    async with operator(settings) as ctx, access.work(ctx, "began anew for a colleague, at the console") as inner:
        return await access.sign_in.begin_anew_at_console(inner, email)


async def look_at_staff(settings: Settings, data: bytes) -> access.staff_list.Preview:
    """What add_staff would do with a CSV file; writes nothing. Raises Invalid."""
    async with operator(settings) as ctx, access.work(ctx, "looked through a list of staff", readonly=True) as inner:
        return await access.staff_list.look(inner, data)


async def add_staff(settings: Settings, data: bytes) -> list[access.staff_list.Added]:
    """Add those of a CSV file that are new, all or none of them, each with a link. Raises Invalid, Conflict."""
    async with operator(settings) as ctx, access.work(ctx, "added colleagues from a list") as inner:
        return await access.staff_list.take(inner, data)


async def verify_audit(settings: Settings, progress: Callable[[int], None]) -> access.AuditReport:
    """Check the audit's chain against the home's signed heads."""
    async with operator(settings) as ctx:
        return await access.verify_audit(ctx.database, settings.home, ctx.clock, progress)


async def add_device(
    settings: Settings,
    patient: str,
    kind: str,
    label: str = "",
    method: str | None = None,
    expires: datetime | None = None,
) -> monitoring.DeviceCredentials:
    """Give a patient a device from the command line. Raises BedsideError."""
    async with operator(settings) as ctx, access.work(ctx, "added a device") as inner:
        new = monitoring.NewDevice(kind=kind, patient=patient, label=label, method=method, expires=expires)
        return await monitoring.add_device(inner, new)


async def revoke_device(settings: Settings, device: str) -> None:
    """End a device's credentials from the command line. Raises NotFound."""
    async with operator(settings) as ctx, access.work(ctx, "revoked a device") as inner:
        await monitoring.revoke_device(inner, device)


async def add_interface(settings: Settings, new: exchange.NewInterface) -> exchange.Interface:
    """Let another system send HL7 v2, from the command line. Raises Invalid, Conflict."""
    async with operator(settings) as ctx, access.work(ctx, "added an interface") as inner:
        return await exchange.add_interface(inner, new)


async def list_interfaces(settings: Settings) -> list[exchange.Interface]:
    """The systems that may send HL7 v2."""
    async with operator(settings) as ctx, access.work(ctx, "listed interfaces", readonly=True) as inner:
        return await exchange.interfaces(inner)


async def end_interface(settings: Settings, name: str) -> None:
    """It may not send any more. Raises NotFound."""
    async with operator(settings) as ctx, access.work(ctx, "ended an interface") as inner:
        await exchange.end_interface(inner, name)


async def import_records(settings: Settings, path: Path, tell: Callable[[int], None]) -> records.Report:
    """Keep the resources of FHIR files; tell is given the bytes done. Raises BedsideError."""
    async with operator(settings) as ctx:
        return await records.load(ctx, path, tell)


async def export_records(
    settings: Settings, path: Path, wish: records.Export, tell: Callable[[int, int], None]
) -> Counter[str]:
    """Write the record into a folder, as import_records reads it; how many of each type. Raises BedsideError."""
    async with operator(settings) as ctx:
        return await records.save(ctx, path, wish, tell)


async def reindex_records(settings: Settings, tell: Callable[[int, int], None], *, again: bool) -> records.Reindexed:
    """Bring the record's search index up to date; tell is given how many of how many. Raises BedsideError."""
    async with operator(settings) as ctx:
        return await records.reindex(ctx, tell, again=again)


@asynccontextmanager
async def operator(settings: Settings) -> AsyncIterator[Ctx]:
    """The ctx of whoever stands at the console; no bus is needed."""
    database = await Database.connect(settings.database_url, size=2, name="bedside command")
    try:
        ground = Ground(settings, database, no_bus(), SystemClock())
        for tell in OPEN:
            tell(ground)
        actor = Actor("job", "command", "the operator's console", roles=frozenset({"system"}))
        yield Ctx(actor, "SYSADMIN", 1, ground.clock, database, ground.bus, origin="console")
    finally:
        await database.close()


async def parked_jobs(settings: Settings) -> list[jobs.Parked]:
    """What failed for good."""
    async with operator(settings) as ctx, ctx.database.connection() as sql:
        return await jobs.parked(sql)


async def release_jobs(settings: Settings, ids: list[int]) -> None:
    """Try those parked jobs again."""
    async with operator(settings) as ctx, ctx.database.connection() as sql:
        await jobs.release(sql, ids)
