"""SQL of interfaces, the messages that were taken, the sources they name, and what was corrected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection

COLUMNS = "number, name, application, facility, authorities, zone, addresses, kind, processing, made_at"


async def add_interface(
    sql: Connection,
    tenant: int,
    name: str,
    application: str,
    facility: str,
    authorities: dict[str, str],
    zone: str,
    addresses: Sequence[str],
    kind: str,
    processing: str,
    at: datetime,
) -> dict[str, Any]:
    """Raises UniqueViolationError for a name, or an application and facility, that is there."""
    row = await sql.fetchrow(
        f"""insert into exchange.interface
            (tenant, name, application, facility, authorities, zone, addresses, kind, processing, made_at)
            values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning {COLUMNS}""",  # noqa: S608 - names of ours
        *(tenant, name, application, facility, authorities, zone, list(addresses), kind, processing, at),
    )
    return dict(row)


async def interfaces(sql: Connection, tenant: int) -> list[dict[str, Any]]:
    """Those that are not ended, with when each was last heard."""
    rows = await sql.fetch(
        f"""select {COLUMNS}, (select max(received_at) from exchange.message m where m.interface = i.number) as last_at
            from exchange.interface i where tenant = $1 and ended_at is null order by name""",  # noqa: S608
        tenant,
    )
    return [dict(row) for row in rows]


async def interface_of(sql: Connection, tenant: int, application: str, facility: str) -> dict[str, Any] | None:
    """The one that this MSH-3 and MSH-4 belong to."""
    row = await sql.fetchrow(
        f"""select {COLUMNS} from exchange.interface
            where tenant = $1 and application = $2 and facility = $3 and ended_at is null""",  # noqa: S608
        *(tenant, application, facility),
    )
    return None if row is None else dict(row)


async def end_interface(sql: Connection, tenant: int, name: str, at: datetime) -> bool:
    """Whether it was there."""
    done = await sql.execute(
        "update exchange.interface set ended_at = $3 where tenant = $1 and name = $2 and ended_at is null",
        *(tenant, name, at),
    )
    return bool(done == "UPDATE 1")


async def claim(
    sql: Connection, tenant: int, key: tuple[str, str, str], interface: int, digest: bytes, at: datetime
) -> dict[str, Any] | None:
    """Take a message's key (MSH-3, MSH-4, MSH-10) for this transaction; one that is taken waits for the other's end.

    None: it is ours. Else digest and answer of the message that has it.
    """
    row = await sql.fetchrow(
        """insert into exchange.message (tenant, application, facility, control, interface, digest, received_at)
           values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing returning control""",
        *(tenant, *key, interface, digest, at),
    )
    if row is not None:
        return None
    found = await sql.fetchrow(
        """select digest, answer from exchange.message
           where tenant = $1 and application = $2 and facility = $3 and control = $4""",
        *(tenant, *key),
    )
    return None if found is None else dict(found)


async def answered(sql: Connection, tenant: int, key: tuple[str, str, str], answer: Sequence[bytes]) -> None:
    """What was answered, to be answered again."""
    await sql.execute(
        """update exchange.message set answer = $5
           where tenant = $1 and application = $2 and facility = $3 and control = $4""",
        *(tenant, *key, list(answer)),
    )


async def release(sql: Connection, tenant: int, key: tuple[str, str, str]) -> None:
    """Nothing of it was kept: it may come again, corrected or not."""
    await sql.execute(
        """delete from exchange.message
           where tenant = $1 and application = $2 and facility = $3 and control = $4""",
        *(tenant, *key),
    )


async def forget(sql: Connection, before: datetime) -> int:
    """Drop keys of messages older than that; how many."""
    done = await sql.execute("delete from exchange.message where received_at < $1", before)
    return int(done.rpartition(" ")[2])


async def hold_source(sql: Connection, tenant: int, key: str) -> None:
    """One transaction at a time makes the sources of one key, or corrects what one device sent."""
    await sql.execute("select pg_advisory_xact_lock(hashtextextended($2, $1))", tenant, f"exchange.source {key}")


async def sources(
    sql: Connection, tenant: int, interface: int, monitor: str, site: str, who: str, revision: int
) -> list[dict[str, Any]]:
    """What stands for one monitor at the bed of one PID-3, with its patient where that is known."""
    rows = await sql.fetch(
        """select device, patient from exchange.source
           where tenant = $1 and interface = $2 and monitor = $3 and site = $4 and who = $5 and revision = $6""",
        *(tenant, interface, monitor, site, who, revision),
    )
    return [dict(row) for row in rows]


async def add_source(
    sql: Connection,
    tenant: int,
    interface: int,
    monitor: str,
    site: str,
    who: str,
    revision: int,
    patient: str | None,
    device: str,
) -> None:
    """A monitoring device for it."""
    await sql.execute(
        """insert into exchange.source (tenant, interface, monitor, site, who, revision, patient, device)
           values ($1, $2, $3, $4, $5, $6, $7, $8)""",
        *(tenant, interface, monitor, site, who, revision, patient, device),
    )


async def found_source(sql: Connection, tenant: int, device: str, patient: str) -> None:
    """Whose it is has become known."""
    await sql.execute(
        "update exchange.source set patient = $3 where tenant = $1 and device = $2", *(tenant, device, patient)
    )


async def standing(
    sql: Connection, tenant: int, keys: Sequence[tuple[str, str, int]]
) -> dict[tuple[str, str, int], tuple[int, str]]:
    """Revision and status of results (device, metric, time) that are not plainly final."""
    rows = await sql.fetch(
        """select s.device, s.metric, s.time, s.revision, s.status
           from unnest($2::text[], $3::text[], $4::bigint[]) as k (device, metric, time)
           join exchange.standing s on s.tenant = $1
             and s.device = k.device and s.metric = k.metric and s.time = k.time""",
        *(tenant, *([key[n] for key in keys] for n in range(3))),
    )
    return {(row["device"], row["metric"], row["time"]): (row["revision"], row["status"]) for row in rows}


async def set_standing(
    sql: Connection, tenant: int, key: tuple[str, str, int], revision: int, status: str, at: datetime
) -> None:
    """status: preliminary, final, replaced or removed."""
    await sql.execute(
        """insert into exchange.standing (tenant, device, metric, time, revision, status, at)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (tenant, device, metric, time) do update
           set revision = excluded.revision, status = excluded.status, at = excluded.at""",
        *(tenant, *key, revision, status, at),
    )
