"""Relations and grants: what the policy's standings are read from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bedside.access.model.people import Caregiver, Duty, GrantRequest, Relation
from bedside.access.model.policy import Standing
from bedside.foundation.database import Connection

TAKEN_OVER = timedelta(minutes=1)
"""A Consent that changes ends its grant and makes another in the same breath."""


async def put_relation(sql: Connection, id: str, tenant: int, relation: Relation) -> None:
    """Add, or set the end of the same one anew."""
    await sql.execute(
        """insert into access.relation (id, tenant, person, patient, kind, source, since, until, reason)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (tenant, person, patient, kind, source)
        do update set until = excluded.until, reason = coalesce(excluded.reason, relation.reason)""",
        id,
        tenant,
        relation.person,
        relation.patient,
        relation.kind,
        relation.source,
        relation.since,
        relation.until,
        relation.reason,
    )


async def end_relations(sql: Connection, tenant: int, source: str, at: datetime) -> None:
    """Let every relation of a source end at a moment, unless it ends sooner."""
    await sql.execute(
        """update access.relation set until = $3 where tenant = $1 and source = $2 and (until is null or until > $3)""",
        tenant,
        source,
        at,
    )


async def end_care(sql: Connection, tenant: int, person: str, patient: str, at: datetime) -> None:
    """A person's care of a patient ends at a moment, whatever made it."""
    await sql.execute(
        """update access.relation set until = $4 where tenant = $1 and person = $2 and patient = $3 and kind = 'care'
        and (until is null or until > $4)""",
        *(tenant, person, patient, at),
    )


async def end_all_of(sql: Connection, tenant: int, person: str, at: datetime) -> None:
    """Whatever binds a person to patients ends at a moment."""
    await sql.execute(
        "update access.relation set until = $3 where tenant = $1 and person = $2 and (until is null or until > $3)",
        tenant,
        person,
        at,
    )


async def relations(
    sql: Connection, tenant: int, at: datetime, *, patient: str | None, person: str | None
) -> list[Relation]:
    """Those that stand at a moment."""
    rows = await sql.fetch(
        """select person, patient, kind, source, since, until, reason from access.relation
        where tenant = $1 and since <= $2 and (until is null or until > $2)
        and ($3::text is null or patient = $3) and ($4::text is null or person = $4) order by since, id""",
        tenant,
        at,
        patient,
        person,
    )
    return [Relation(**row) for row in rows]


async def only_theirs(
    sql: Connection, tenant: int, person: str, at: datetime, roles: Sequence[str], *, placed: bool
) -> int:
    """How many patients are in a person's care and of nobody else with one of these roles. placed: one who has a place
    is looked after by whoever is on duty there, and does not count."""
    found: int = await sql.fetchval(
        """select count(distinct r.patient) from access.relation r
        where r.tenant = $1 and r.person = $2 and r.kind = 'care'
        and r.since <= $3 and (r.until is null or r.until > $3)
        and not exists (select from access.relation o join access.person p on p.id = o.person and p.active
            where o.tenant = $1 and o.patient = r.patient and o.person <> $2 and o.kind = 'care' and o.since <= $3
            and (o.until is null or o.until > $3) and p.roles && $4::text[])
        and not ($5 and exists (select from access.place_patient s where s.tenant = $1 and s.patient = r.patient
            and s.since <= $3 and (s.until is null or s.until > $3)))""",
        *(tenant, person, at, list(roles), placed),
    )
    return found


async def put_grant(sql: Connection, tenant: int, id: str, request: GrantRequest, now: datetime) -> None:
    """Add, or put another in its place."""
    await sql.execute(
        """insert into access.granted (id, tenant, person, patient, actions, what, source, since, until)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        on conflict (id) do update set actions = excluded.actions, what = excluded.what, until = excluded.until,
        revoked = null where granted.tenant = excluded.tenant""",
        id,
        tenant,
        request.person,
        request.patient,
        request.actions,
        sorted(request.what),
        request.source,
        now,
        request.until,
    )
    # What was said of an earlier grant holds on only where this one takes over from it.
    await sql.execute(
        """delete from access.alerted a where a.tenant = $1 and a.patient = $2 and a.person = $3 and not exists (
        select from access.granted g where g.tenant = $1 and g.patient = $2 and g.person = $3 and g.id <> $4
        and (g.revoked is null or g.revoked > $5) and (g.until is null or g.until > $6))""",
        tenant,
        request.patient,
        request.person,
        id,
        now - TAKEN_OVER,
        now,
    )


async def caregivers(sql: Connection, tenant: int, patient: str, at: datetime) -> list[Caregiver]:
    """Whom a patient's grants let in at a moment, one line a grant."""
    rows = await sql.fetch(
        """select g.person, p.name, g.actions, g.what, g.until, a.person is not null as alerts from access.granted g
        join access.person p on p.id = g.person and p.active
        left join access.alerted a on a.tenant = g.tenant and a.patient = g.patient and a.person = g.person
        where g.tenant = $1 and g.patient = $2 and g.revoked is null and g.since <= $3
        and (g.until is null or g.until > $3) order by p.name, g.id""",
        tenant,
        patient,
        at,
    )
    return [Caregiver(**{**row, "what": frozenset(row["what"])}) for row in rows]


async def granted_by(sql: Connection, tenant: int, source: str) -> list[tuple[str, str]]:
    """Patient and person of each grant of a source that was not revoked."""
    rows = await sql.fetch(
        "select patient, person from access.granted where tenant = $1 and source = $2 and revoked is null",
        tenant,
        source,
    )
    return [(row["patient"], row["person"]) for row in rows]


async def ends_of_grants(
    sql: Connection, tenant: int, patient: str, person: str, at: datetime
) -> list[datetime | None]:
    """When each grant ends by which a patient lets somebody in at a moment; None: it is open."""
    rows = await sql.fetch(
        """select until from access.granted where tenant = $1 and patient = $2 and person = $3
        and revoked is null and (until is null or until > $4)""",
        tenant,
        patient,
        person,
        at,
    )
    return [row["until"] for row in rows]


async def let_in_by(sql: Connection, tenant: int, person: str, at: datetime) -> list[str]:
    """The patients whose grants let somebody in at a moment."""
    rows = await sql.fetch(
        """select distinct patient from access.granted where tenant = $1 and person = $2
        and (revoked is null or revoked > $3) and (until is null or until > $3)""",
        tenant,
        person,
        at,
    )
    return [row["patient"] for row in rows]


async def let_in(sql: Connection, tenant: int, people: Sequence[str], at: datetime) -> dict[str, set[str]]:
    """For each of these people the patients whose grants let them in at a moment."""
    rows = await sql.fetch(
        """select distinct person, patient from access.granted where tenant = $1 and person = any($2)
        and (revoked is null or revoked > $3) and (until is null or until > $3)""",
        tenant,
        list(people),
        at,
    )
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row["person"], set()).add(row["patient"])
    return found


async def set_alerts(sql: Connection, tenant: int, patient: str, person: str, at: datetime, *, on: bool) -> None:
    """Whether a caregiver is told of alarms."""
    if on:
        await sql.execute(
            """insert into access.alerted (tenant, patient, person, since) values ($1, $2, $3, $4)
            on conflict do nothing""",
            tenant,
            patient,
            person,
            at,
        )
    else:
        await sql.execute(
            "delete from access.alerted where tenant = $1 and patient = $2 and person = $3", tenant, patient, person
        )


async def sources_of_grants(sql: Connection, tenant: int, patient: str, person: str, at: datetime) -> list[str]:
    """What lets this person in now, each once."""
    rows = await sql.fetch(
        """select distinct source from access.granted where tenant = $1 and patient = $2 and person = $3
        and revoked is null and (until is null or until > $4) order by source""",
        *(tenant, patient, person, at),
    )
    return [row["source"] for row in rows]


async def revoke_from(sql: Connection, tenant: int, person: str, source: str, now: datetime) -> None:
    """End what one source grants one person."""
    await sql.execute(
        """update access.granted set revoked = $4 where tenant = $1 and person = $2 and source = $3
        and revoked is null""",
        *(tenant, person, source, now),
    )


async def revoke_grant(sql: Connection, tenant: int, id: str, now: datetime) -> str | None:
    """End a grant, by its id or its source. Answers with the patient."""
    patient: str | None = await sql.fetchval(
        """update access.granted set revoked = $3 where tenant = $1 and (id = $2 or source = $2) and revoked is null
        returning patient""",
        tenant,
        id,
        now,
    )
    return patient


async def standings(
    sql: Connection, tenant: int, person: str, patient: str, at: datetime, duties: Sequence[Duty]
) -> list[Standing]:
    """All that binds a person to a patient at a moment, in one query. duties: theirs of that moment."""
    rows = await sql.fetch(
        """select kind, source, null as role, null as actions, null::text[] as what from access.relation
        where tenant = $1 and person = $2 and patient = $3 and since <= $4 and (until is null or until > $4)
        union all
        select 'duty', d.place, d.role, null, null from unnest($5::text[], $6::text[]) as d(place, role)
        join access.place_patient s on s.place = d.place
        where s.tenant = $1 and s.patient = $3 and s.since <= $4 and (s.until is null or s.until > $4)
        union all
        select 'grant', source, null, actions, what from access.granted
        where tenant = $1 and person = $2 and patient = $3 and revoked is null and since <= $4
        and (until is null or until > $4)""",
        tenant,
        person,
        patient,
        at,
        [duty.place for duty in duties],
        [duty.role for duty in duties],
    )
    return [
        Standing(
            row["kind"],
            row["source"],
            row["role"],
            row["actions"] if row["actions"] is not None else "CRUDE",
            frozenset(row["what"]) if row["what"] is not None else frozenset({"*"}),
        )
        for row in rows
    ]


async def visible(
    sql: Connection,
    tenant: int,
    person: str,
    at: datetime,
    standings: list[tuple[str, str]],
    what: str,
    duties: Sequence[Duty],
) -> frozenset[str]:
    """Patients whom a person may read what of, given the (role, standing) pairs that let them and their duties then."""
    rows = await sql.fetch(
        """with may as (select * from unnest($4::text[], $5::text[]) as m(role, standing))
        select r.patient from access.relation r join may on may.standing = r.kind
        where r.tenant = $1 and r.person = $2 and r.since <= $3 and (r.until is null or r.until > $3)
        union
        select s.patient from unnest($7::text[], $8::text[]) as d(place, role)
        join may on may.standing = 'duty' and may.role = d.role
        join access.place_patient s on s.place = d.place
        where s.tenant = $1 and s.since <= $3 and (s.until is null or s.until > $3)
        union
        select g.patient from access.granted g join may on may.standing = 'grant'
        where g.tenant = $1 and g.person = $2 and g.revoked is null and g.since <= $3
        and (g.until is null or g.until > $3) and g.actions like '%R%' and ('*' = any(g.what) or $6 = any(g.what))""",
        tenant,
        person,
        at,
        [role for role, _ in standings],
        [standing for _, standing in standings],
        what,
        [duty.place for duty in duties],
        [duty.role for duty in duties],
    )
    return frozenset(row["patient"] for row in rows)


async def claim_registration(sql: Connection, tenant: int, patient: str) -> None:
    """Wait for whoever registers the same new id at this moment; until the transaction ends."""
    await sql.execute("select pg_advisory_xact_lock(hashtextextended($1, 0))", f"registration {tenant} {patient}")
