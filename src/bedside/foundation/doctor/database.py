"""What the database and its contents say."""

from __future__ import annotations

from bedside.foundation import jobs
from bedside.foundation.database import Connection, Database
from bedside.foundation.doctor.finding import Finding, bad, failed, good
from bedside.foundation.doctor.kept import recent_ends
from bedside.foundation.errors import N_, BedsideError
from bedside.foundation.home import Home
from bedside.foundation.migrate import standing
from bedside.foundation.settings import Settings

SPARE = 5
"""Connections that should be left for a person who has to look at the server."""


async def installation(settings: Settings, home: Home) -> list[Finding]:
    """From outside the program. Raises nothing: what cannot be reached is a finding."""
    findings = [recent_ends(home)]
    try:
        database = await Database.connect(settings.database_url, size=1, name="bedside doctor")
    except BedsideError as error:
        return [*findings, failed(error)]
    try:
        return findings + await contents(database, running=bool(home.running()))
    finally:
        await database.close()


async def contents(database: Database, *, running: bool) -> list[Finding]:
    """Through a pool that is there. running: whether somebody should be working at the queue."""
    try:
        unsafe = await database.unsafe_settings()
        async with database.connection() as sql:
            findings = [good(N_("The database answers."))]
            findings += [bad(N_("PostgreSQL may lose what it acknowledged: %(why)s."), why=each) for each in unsafe]
            missing = (await standing(sql)).missing
            if missing:
                what = N_("%(missing)s migrations are missing.")
                return [*findings, bad(what, N_("Run bedside migrate."), missing=missing)]
            findings.append(good(N_("The database is up to date.")))
            return findings + await _queue(sql, running=running) + await _connections(sql)
    except BedsideError as error:
        return [failed(error)]


async def version(sql: Connection) -> str:
    """Of PostgreSQL: `18.4`."""
    return str(await sql.fetchval("select split_part(current_setting('server_version'), ' ', 1)"))


async def _queue(sql: Connection, *, running: bool) -> list[Finding]:
    held = await jobs.parked(sql)
    findings = [
        bad(
            N_("The job %(name)s failed for good: %(why)s"),
            N_("bedside jobs release %(id)s"),
            name=each.name,
            why=each.why,
            id=each.id,
        )
        for each in held[:10]
    ]
    if not held:
        findings.append(good(N_("No job is parked.")))
    late = await sql.fetchval(
        "select count(*) from jobs.pgqueuer where status = 'queued' and execute_after < now() - interval '60 s'"
    )
    if late and running:
        findings.append(bad(N_("%(late)s jobs wait for a minute or more."), N_("Read logs/worker.log."), late=late))
    return findings


async def _connections(sql: Connection) -> list[Finding]:
    """How many the server has left for ordinary users."""
    row = await sql.fetchrow(
        """select current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
                  - (select count(*) from pg_stat_activity where backend_type = 'client backend'),
                  current_setting('max_connections')::int"""
    )
    left, most = row[0], row[1]
    if left < SPARE:
        return [
            bad(
                N_("PostgreSQL has %(left)s connections left of %(most)s."),
                N_("Raise max_connections and restart it, or run fewer processes."),
                left=left,
                most=most,
            )
        ]
    return [good(N_("PostgreSQL has %(left)s connections left of %(most)s."), left=left, most=most)]
