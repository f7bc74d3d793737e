"""People, places and stays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from bedside.access.model.people import Bed, NewPerson, Person, Place
from bedside.foundation.database import Connection

_PERSON = "id, name, roles, reference, language, phone, email, units, zone, patient, active"


def read_person(row: Any) -> Person:
    """A row with a person's columns, whatever else it has."""
    return Person(**{name: row[name] for name in _PERSON.split(", ")} | {"roles": frozenset(row["roles"])})


async def insert_person(sql: Connection, tenant: int, new: NewPerson, id: str, reference: str, now: datetime) -> None:
    """Add. Raises asyncpg.UniqueViolationError on a taken id, e-mail or patient."""
    await sql.execute(
        """insert into access.person
        (id, tenant, name, roles, reference, language, phone, email, units, zone, patient, created)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)""",
        id,
        tenant,
        new.name,
        sorted(new.roles),
        reference,
        new.language,
        new.phone,
        new.email,
        new.units,
        new.zone,
        new.patient,
        now,
    )


async def person(sql: Connection, tenant: int, id: str) -> Person | None:
    """By id, active or not."""
    row = await sql.fetchrow(f"select {_PERSON} from access.person where tenant = $1 and id = $2", tenant, id)  # noqa: S608
    return read_person(row) if row else None


async def persons(sql: Connection, tenant: int, ids: Sequence[str]) -> list[Person]:
    """By ids, active or not."""
    rows = await sql.fetch(
        f"select {_PERSON} from access.person where tenant = $1 and id = any($2)",  # noqa: S608
        tenant,
        list(ids),
    )
    return [read_person(row) for row in rows]


async def people(sql: Connection, tenant: int, role: str | None) -> list[Person]:
    """The active, by name."""
    rows = await sql.fetch(
        f"""select {_PERSON} from access.person
        where tenant = $1 and active and ($2::text is null or $2 = any(roles)) order by name, id""",  # noqa: S608
        tenant,
        role,
    )
    return [read_person(row) for row in rows]


async def people_of(sql: Connection, tenant: int, roles: Collection[str]) -> list[Person]:
    """The active who have one of these roles."""
    rows = await sql.fetch(
        f"select {_PERSON} from access.person where tenant = $1 and active and roles && $2::text[]",  # noqa: S608
        tenant,
        sorted(roles),
    )
    return [read_person(row) for row in rows]


async def people_as_added(sql: Connection, tenant: int) -> list[Person]:
    """The active people, the first added first."""
    rows = await sql.fetch(
        f"select {_PERSON} from access.person where tenant = $1 and active order by created, name, id",  # noqa: S608
        tenant,
    )
    return [read_person(row) for row in rows]


async def persons_at(sql: Connection, tenant: int, *, email: str | None, phone: str | None) -> list[Person]:
    """The active people whose e-mail or telephone this is; a telephone may be a family's."""
    rows = await sql.fetch(
        f"""select {_PERSON} from access.person where tenant = $1 and active
        and (lower(email) = lower($2) or phone = $3) order by id limit 8""",  # noqa: S608
        tenant,
        email,
        phone,
    )
    return [read_person(row) for row in rows]


async def person_of_patient(sql: Connection, tenant: int, patient: str) -> Person | None:
    """The account of a patient."""
    row = await sql.fetchrow(
        f"select {_PERSON} from access.person where tenant = $1 and patient = $2 and active",  # noqa: S608
        tenant,
        patient,
    )
    return read_person(row) if row else None


async def change_person(sql: Connection, tenant: int, id: str, changes: dict[str, Any]) -> bool:
    """Set name, language, phone, email, units, zone or active."""
    row = await sql.fetchrow(
        """update access.person set
        name = coalesce($3::jsonb->>'name', name), language = coalesce($3::jsonb->>'language', language),
        phone = case when $3::jsonb ? 'phone' then $3::jsonb->>'phone' else phone end,
        email = case when $3::jsonb ? 'email' then $3::jsonb->>'email' else email end,
        units = coalesce($3::jsonb->>'units', units), zone = coalesce($3::jsonb->>'zone', zone),
        active = coalesce(($3::jsonb->>'active')::boolean, active)
        where tenant = $1 and id = $2 returning id""",
        tenant,
        id,
        changes,
    )
    return row is not None


async def appoint(sql: Connection, tenant: int, id: str, name: str, roles: Sequence[str]) -> None:
    """Set name and roles."""
    await sql.execute(
        "update access.person set name = $3, roles = $4 where tenant = $1 and id = $2", tenant, id, name, list(roles)
    )


async def insert_place(sql: Connection, tenant: int, place: Place) -> None:
    """Add, or rename one that is there."""
    await sql.execute(
        """insert into access.place (id, tenant, name, kind, zone) values ($1, $2, $3, $4, $5)
        on conflict (id) do update set name = excluded.name, zone = coalesce(excluded.zone, place.zone)
        where place.tenant = excluded.tenant""",
        place.id,
        tenant,
        place.name,
        place.kind,
        place.zone,
    )


async def places(sql: Connection, tenant: int, *, closed: bool) -> list[Place]:
    """By name: those that are open, or all."""
    rows = await sql.fetch(
        """select id, name, kind, zone, closed from access.place
        where tenant = $1 and ($2 or closed is null) order by name, id""",
        tenant,
        closed,
    )
    return [Place(**row) for row in rows]


async def place(sql: Connection, tenant: int, id: str) -> Place | None:
    """One."""
    row = await sql.fetchrow(
        "select id, name, kind, zone, closed from access.place where tenant = $1 and id = $2", tenant, id
    )
    return Place(**row) if row else None


async def lock_place(sql: Connection, tenant: int, id: str) -> None:
    """Wait for whoever puts somebody there, and let nobody else until the transaction ends."""
    await sql.execute("select from access.place where tenant = $1 and id = $2 for update", tenant, id)


async def stays_open(sql: Connection, tenant: int, id: str) -> bool | None:
    """Whether a place is open, and until the transaction ends nobody closes it; None: there is none."""
    found: bool | None = await sql.fetchval(
        "select closed is null from access.place where tenant = $1 and id = $2 for share", tenant, id
    )
    return found


async def set_closed(sql: Connection, tenant: int, id: str, at: datetime | None) -> None:
    """Close it, or open it again."""
    await sql.execute("update access.place set closed = $3 where tenant = $1 and id = $2", tenant, id, at)


async def open_stay(
    sql: Connection, id: str, tenant: int, place: str, patient: str, bed: str | None, now: datetime
) -> None:
    """Begin a stay, or change the bed of the one under way."""
    await sql.execute(
        """insert into access.place_patient (id, tenant, place, patient, bed, since) values ($1, $2, $3, $4, $5, $6)
        on conflict (tenant, patient, place) where until is null do update set bed = excluded.bed""",
        id,
        tenant,
        place,
        patient,
        bed,
        now,
    )


async def close_stay(sql: Connection, tenant: int, place: str, patient: str, now: datetime) -> None:
    """End a stay."""
    await sql.execute(
        """update access.place_patient set until = $4
        where tenant = $1 and place = $2 and patient = $3 and until is null""",
        tenant,
        place,
        patient,
        now,
    )


async def stays(sql: Connection, tenant: int, *, place: str | None, patient: str | None) -> list[Bed]:
    """Stays under way, by bed."""
    rows = await sql.fetch(
        """select place, patient, bed, since from access.place_patient where tenant = $1 and until is null
        and ($2::text is null or place = $2) and ($3::text is null or patient = $3) order by bed nulls last, patient""",
        tenant,
        place,
        patient,
    )
    return [Bed(**row) for row in rows]
