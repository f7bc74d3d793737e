"""SQL of devices, assignments and client ids."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from bedside.foundation.database import Connection, texts


async def add(
    sql: Connection,
    *,
    tenant: int,
    name: str,
    kind: str,
    source: str,
    now: datetime,
    label: str = "",
    method: str | None = None,
    salt: bytes | None = None,
    secret: bytes | None = None,
    expires: datetime | None = None,
    typist: str | None = None,
    typed_for: str | None = None,
    performer: str | None = None,
) -> int | None:
    """The new device's number, or None when this pseudo-device was there."""
    number = await sql.fetchval(
        """insert into monitoring.device
           (tenant, name, kind, source, label, method, salt, secret, expires_at, typist, typed_for, performer,
            created_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
           on conflict (tenant, typist, typed_for) where typist is not null do nothing returning number""",
        *(tenant, name, kind, source, label, method, salt, secret, expires, typist, typed_for, performer, now),
    )
    if number is not None:
        await sql.execute("insert into monitoring.head (device) values ($1)", number)
    return number if number is None else int(number)


async def any_there(sql: Connection, tenant: int) -> bool:
    """Whether there is a device that sends by itself."""
    asked = "select exists (select from monitoring.device where tenant = $1 and source = 'device')"
    return bool(await sql.fetchval(asked, tenant))


async def pseudo(sql: Connection, tenant: int, typist: str, typed_for: str) -> str | None:
    """The name under which this person types for this patient."""
    name = await sql.fetchval(
        "select name from monitoring.device where tenant = $1 and typist = $2 and typed_for = $3",
        *(tenant, typist, typed_for),
    )
    return None if name is None else str(name)


async def lock(sql: Connection, tenant: int, name: str) -> tuple[int, str] | None:
    """Its number and kind, its row locked against a second assignment at the same time."""
    row = await sql.fetchrow(
        "select number, kind from monitoring.device where tenant = $1 and name = $2 for no key update", tenant, name
    )
    return None if row is None else (row["number"], row["kind"])


async def end_assignment(sql: Connection, device: int, at: datetime) -> list[str]:
    """End what runs at `at`; the patients whose assignment that was."""
    rows = await sql.fetch(
        """update monitoring.assignment set during = tstzrange(lower(during), $2)
           where device = $1 and lower(during) < $2 and (upper_inf(during) or upper(during) > $2) returning patient""",
        *(device, at),
    )
    return [row["patient"] for row in rows]


async def assign(
    sql: Connection, tenant: int, device: int, patient: str, since: datetime, until: datetime | None, now: datetime
) -> None:
    """From `since` until just before `until`. The table refuses two holders at one time."""
    await sql.execute(
        """insert into monitoring.assignment (tenant, device, patient, during, made_at)
           values ($1, $2, $3, tstzrange($4, $5), $6)""",
        *(tenant, device, patient, since, until, now),
    )


async def of_patient(sql: Connection, tenant: int, patient: str, now: datetime) -> list[dict[str, Any]]:
    """Devices that the patient holds now, pseudo-devices left out."""
    rows = await sql.fetch(
        """select d.name as device, d.kind, d.label, d.method, d.state, d.created_at, a.patient,
                  lower(a.during) as since, h.heard_at
           from monitoring.assignment a
           join monitoring.device d on d.number = a.device
           join monitoring.head h on h.device = d.number
           where a.tenant = $1 and a.patient = $2 and a.during @> $3::timestamptz and d.typist is null
           order by d.number""",
        *(tenant, patient, now),
    )
    return [dict(row) for row in rows]


async def all_of(sql: Connection, tenant: int, now: datetime, name: str | None, most: int) -> list[dict[str, Any]]:
    """Devices with credentials, or the one of a name, with who holds each now: those in use first, by what people call
    them."""
    rows = await sql.fetch(
        """select d.name as device, d.kind, d.label, d.method, d.state, d.created_at, d.expires_at, a.patient,
                  lower(a.during) as since, h.heard_at
           from monitoring.device d
           join monitoring.head h on h.device = d.number
           left join monitoring.assignment a on a.device = d.number and a.during @> $2::timestamptz
           where d.tenant = $1 and d.secret is not null and ($3::text is null or d.name = $3)
           order by d.state, lower(coalesce(nullif(d.label, ''), d.name)), d.number limit $4""",
        *(tenant, now, name, most),
    )
    return [dict(row) for row in rows]


async def ending(
    sql: Connection, tenant: int, now: datetime, passwords: datetime, stays: datetime
) -> list[dict[str, Any]]:
    """Devices in use whose password ends by a moment, and stays that end between now and another, at most 200."""
    rows = await sql.fetch(
        """select d.name as device, d.kind, d.label, a.patient, 'password' as why, d.expires_at as until
           from monitoring.device d left join monitoring.assignment a on a.device = d.number
               and a.during @> $2::timestamptz
           where d.tenant = $1 and d.state = 'active' and d.secret is not null and d.expires_at <= $3
           union all
           select d.name, d.kind, d.label, a.patient, 'stay', upper(a.during)
           from monitoring.assignment a join monitoring.device d on d.number = a.device and d.state = 'active'
           where a.tenant = $1 and upper(a.during) > $2 and upper(a.during) <= $4
             and not upper_inf(a.during) and lower(a.during) <= $2
           order by until, device limit 200""",
        *(tenant, now, passwords, stays),
    )
    return [dict(row) for row in rows]


async def stays(sql: Connection, tenant: int, name: str) -> list[dict[str, Any]]:
    """Who held a device from when to when, the newest first."""
    rows = await sql.fetch(
        """select a.patient, lower(a.during) as since, upper(a.during) as until
           from monitoring.assignment a join monitoring.device d on d.number = a.device
           where d.tenant = $1 and d.name = $2 order by lower(a.during) desc nulls last limit 100""",
        *(tenant, name),
    )
    return [dict(row) for row in rows]


async def drop_planned(sql: Connection, tenant: int, name: str, now: datetime) -> None:
    """Who was to hold a device only later does not."""
    await sql.execute(
        """delete from monitoring.assignment a using monitoring.device d
           where d.number = a.device and d.tenant = $1 and d.name = $2 and lower(a.during) >= $3""",
        *(tenant, name, now),
    )


async def set_secret(sql: Connection, tenant: int, name: str, salt: bytes, secret: bytes, now: datetime) -> bool:
    """Another password from now on; False where there is no such device with credentials."""
    done = await sql.execute(
        """update monitoring.device set salt = $3, secret = $4, renewed_at = $5
           where tenant = $1 and name = $2 and secret is not null""",
        *(tenant, name, salt, secret, now),
    )
    return bool(done == "UPDATE 1")


async def renewed(sql: Connection, since: datetime) -> list[tuple[str, datetime]]:
    """Devices that got another password after `since`, and when."""
    rows = await sql.fetch("select name, renewed_at from monitoring.device where renewed_at > $1", since)
    return [(row["name"], row["renewed_at"]) for row in rows]


async def set_state(sql: Connection, tenant: int, name: str, state: str) -> bool:
    """Whether there is such a device."""
    done = await sql.execute(
        "update monitoring.device set state = $3 where tenant = $1 and name = $2", tenant, name, state
    )
    return bool(done == "UPDATE 1")


async def secret_of(sql: Connection, name: str) -> dict[str, Any] | None:
    """What the door needs to know of a user name."""
    row = await sql.fetchrow(
        """select number, tenant, salt, secret, state, expires_at from monitoring.device
           where name = $1 and secret is not null""",
        name,
    )
    return None if row is None else dict(row)


async def unwelcome(sql: Connection, flooded_since: datetime) -> list[tuple[str, datetime | None]]:
    """Devices that may not be connected now: the revoked (None), and those that sent too much (when)."""
    rows = await sql.fetch(
        """select name, null::timestamptz as at from monitoring.device where state <> 'active' and secret is not null
           union all
           select device, last_at from monitoring.technical_event where kind = 'flood' and last_at > $1""",
        flooded_since,
    )
    return [(row["name"], row["at"]) for row in rows]


async def welcome(sql: Connection, asked: list[tuple[str, datetime, datetime]]) -> list[bool]:
    """Whether each device may be connected. asked: its name, now, and since when a flood counts."""
    names = [name for name, _, _ in asked]
    now, since = max(one[1] for one in asked), max(one[2] for one in asked)
    rows = await sql.fetch(
        """select name from monitoring.device d
           where name = any($1) and state = 'active' and (expires_at is null or expires_at > $2)
           and not exists (select from monitoring.technical_event e
                           where e.tenant = d.tenant and e.last_at > $3 and e.kind = 'flood' and e.device = d.name)""",
        *(names, now, since),
    )
    good = {row["name"] for row in rows}
    return [name in good for name in names]


async def bind_client(sql: Connection, client_id: str, device: int, now: datetime) -> int:
    """The device that this MQTT client id belongs to: the first that used it."""
    owner = await sql.fetchval(
        """with fresh as (
             insert into monitoring.client (client_id, device, since) values ($1, $2, $3)
             on conflict (client_id) do nothing returning device)
           select device from fresh union all select device from monitoring.client where client_id = $1 limit 1""",
        *(client_id, device, now),
    )
    return int(owner)


HEADS = """select d.number, d.tenant, d.name, d.kind, d.source, d.method, d.state, d.expires_at, h.newest
           from monitoring.device d join monitoring.head h on h.device = d.number
           where d.name = any($1) order by d.number"""
LOCKED = f"{HEADS} for no key update of h"


async def hold(
    sql: Connection, names: Sequence[str], *, lock: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Devices by name, with `lock` their heads locked in order of number, and all their assignments."""
    devices = await sql.fetch(LOCKED if lock else HEADS, names)
    assignments = await sql.fetch(
        """select device, patient, lower(during) as since, upper(during) as until
           from monitoring.assignment where device = any($1) order by device, lower(during)""",
        [row["number"] for row in devices],
    )
    return [dict(row) for row in devices], [dict(row) for row in assignments]


async def heard(sql: Connection, numbers: list[int], newest: list[dict[str, int]], at: list[datetime]) -> None:
    """Write the heads back."""
    await sql.execute(
        """update monitoring.head h set heard_at = greatest(h.heard_at, u.at), newest = u.newest::jsonb
           from unnest($1::int[], $2::text[], $3::timestamptz[]) as u (device, newest, at)
           where h.device = u.device and h.device = any($1)""",
        *(numbers, texts(newest), at),
    )


async def clients(sql: Connection, client_ids: Sequence[str]) -> dict[str, str]:
    """MQTT client ids to the names of the devices they belong to."""
    rows = await sql.fetch(
        """select c.client_id, d.name from monitoring.client c join monitoring.device d on d.number = c.device
           where c.client_id = any($1)""",
        client_ids,
    )
    return {row["client_id"]: row["name"] for row in rows}
